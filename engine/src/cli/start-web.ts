import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { sleep } from '../platform/backoff.js';
import type { Config } from '../platform/config/config.js';

const entry = fileURLToPath(new URL('../../../web/serve.mjs', import.meta.url));
const build = fileURLToPath(new URL('../../../web/.next/standalone/web/server.js', import.meta.url));

export type WebBeside = {
  /** Where it will listen. */
  url: string;
  /** What it will present to the API. */
  key: string;
  /** Starts it, to serve pages of the API at that address, and restarts it when it dies. */
  start(apiUrl: string): void;
  close(): Promise<void>;
};

// Long enough not to spin on a build that cannot start, short enough for a page that reloads itself.
const restartAfterMs = 2000;
// It renders pages and keeps nothing, so killing it after this time loses nothing.
const endsWithinMs = 3000;

/** A web process beside an engine that runs everything; undefined if the pages run elsewhere or are disabled. */
export async function prepareWebBeside(config: Config, logger: Logger): Promise<WebBeside | undefined> {
  if (config.WEB_URL || !config.WEB_ENABLED) return undefined;
  if (!existsSync(build)) {
    logger.warn('the pages are not built; only the API is served');
    return undefined;
  }
  const port = await findFreePort();
  const key = config.WEB_KEY ?? randomBytes(24).toString('base64url');
  let child: ChildProcess | undefined;
  let isClosing = false;

  function run(apiUrl: string): void {
    child = spawnWeb(port, apiUrl, key);
    child.stderr?.on('data', (text: Buffer) =>
      logger.warn({ web: String(text).trim() }, 'output of the web process'),
    );
    child.once('exit', async code => {
      if (isClosing) return;
      logger.error({ code }, 'the web process died; starting another');
      await sleep(restartAfterMs);
      if (!isClosing) run(apiUrl);
    });
  }

  return {
    url: `http://127.0.0.1:${port}`,
    key,
    start: run,
    async close() {
      isClosing = true;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(endsWithinMs)]);
      child.kill('SIGKILL');
    },
  };
}

/**
 * It gets no other secret and no database address: an attacker who takes over a page reaches only the shop's public
 * API.
 */
function spawnWeb(port: number, apiUrl: string, key: string): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [entry], {
    env: {
      PATH,
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      HOSTNAME: '127.0.0.1',
      PORT: String(port),
      API_URL: apiUrl,
      WEB_KEY: key,
    },
    // Its own process group: otherwise Ctrl-C in a terminal would end it, too, before the engine has drained.
    detached: true,
    // Through this channel it notices when this process has ended, for whatever reason.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  return typeof address === 'object' && address ? address.port : 0;
}
