import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { addressOf, command } from '../../client/test/support/start-shop.js';

it('Ctrl-C, which reaches all processes of the terminal, ends the pages after the engine, and no others are started', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-stop-'));
  await chmod(dataDir, 0o711);
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [command, 'start'], {
    env: {
      ...env,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: '0',
      SANDBOX_PORT: '0',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Its own process group, like that of a terminal's foreground job.
    detached: true,
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  const url = await addressOf(child);
  const ended = once(child, 'exit');

  process.kill(-Number(child.pid), 'SIGINT');

  expect(await ended).toEqual([0, null]);
  expect(said).not.toContain('the web process died');
  await expect(fetch(url)).rejects.toThrow();
});
