import { join } from 'node:path';
import type { Logger } from 'pino';
import { sandboxSecrets } from '../app/choose-payments.js';
import { type Sandbox, startSandbox } from '../payments/sandbox/start-sandbox.js';
import { type Config, readConfig } from '../platform/config/config.js';
import { readSecrets, type Secrets } from '../platform/secrets.js';
import { onShutdown } from '../platform/shutdown.js';
import { createLogger } from '../platform/telemetry/logger.js';
import { explainListenError } from './listen-error.js';

/** Runs only the sandbox payment provider, until Ctrl-C. It keeps its charges in DATA_DIR. */
export async function serveSandbox(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger(config.LOG_LEVEL);
  try {
    const sandbox = await startHere(config, await readSecrets(config), logger);
    onShutdown(config.DRAIN_TIMEOUT_MS, logger, sandbox.close);
    const lines = [
      'The sandbox payment provider is running. No money moves.',
      `  address   ${sandbox.url}`,
      `  webhooks  ${webhookUrlOf(config) ?? 'none: PAYMENT_WEBHOOK_URL is not set'}`,
      `  data      ${dataFileOf(config)}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    throw explainListenError(error, config);
  }
}

/** Runs the sandbox in the process of an engine that runs everything, unless a real provider is configured. */
export async function startSandboxBeside(
  config: Config,
  secrets: Secrets,
  logger: Logger,
): Promise<Sandbox | undefined> {
  return config.PAYMENT_PROVIDER === 'sandbox' ? startHere(config, secrets, logger) : undefined;
}

function startHere(config: Config, secrets: Secrets, logger: Logger): Promise<Sandbox> {
  const { apiKey, webhookSecret: secret } = sandboxSecrets(secrets);
  const url = webhookUrlOf(config);
  return startSandbox({
    host: config.HOST,
    port: config.SANDBOX_PORT,
    apiKey,
    logger,
    dataFile: dataFileOf(config),
    webhook: url === undefined ? undefined : { url, secret },
  });
}

// The API of an engine on this machine. If the system chooses the port, it is not known in time.
function webhookUrlOf({ PAYMENT_WEBHOOK_URL, PORT }: Config): string | undefined {
  return PAYMENT_WEBHOOK_URL ?? (PORT === 0 ? undefined : `http://127.0.0.1:${PORT}/api/webhooks/payments`);
}

function dataFileOf({ DATA_DIR }: Config): string {
  return join(DATA_DIR, 'sandbox-charges.ndjson');
}
