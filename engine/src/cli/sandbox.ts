import { join } from 'node:path';
import type { Logger } from 'pino';
import { startSandbox } from '../payments/sandbox/start.js';
import { onShutdown } from '../platform/shutdown.js';

export type SandboxSettings = {
  HOST: string;
  SANDBOX_PORT: number;
  DATA_DIR: string;
  DRAIN_TIMEOUT_MS: number;
  PAYMENT_WEBHOOK_URL?: string | undefined;
};

/** The pretend payment provider, until Ctrl-C. What it knows is kept in DATA_DIR. */
export async function runSandbox(
  settings: SandboxSettings,
  secrets: { sandboxKey: string; webhookSecret: string },
  logger: Logger,
): Promise<void> {
  const { HOST, SANDBOX_PORT, DATA_DIR, PAYMENT_WEBHOOK_URL: url } = settings;
  const dataFile = join(DATA_DIR, 'sandbox-charges.ndjson');
  const sandbox = await startSandbox({
    host: HOST,
    port: SANDBOX_PORT,
    dataFile,
    webhook: url === undefined ? undefined : { url, secret: secrets.webhookSecret },
    apiKey: secrets.sandboxKey,
    logger,
  });
  onShutdown(settings.DRAIN_TIMEOUT_MS, logger, sandbox.close);
  const lines = [
    'A pretend payment provider is running. No money moves.',
    `  address   ${sandbox.url}`,
    `  webhooks  ${url ?? 'none, PAYMENT_WEBHOOK_URL is not set'}`,
    `  data      ${dataFile}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
