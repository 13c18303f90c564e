import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const serve = fileURLToPath(new URL('../serve.mjs', import.meta.url));

// A killed engine closes the channel, as `disconnect` does here: at once, before the pages have run a line, or later.
it.each([0, 50, 1000])('the pages end if their engine is gone %i ms after starting them', async afterMs => {
  const env = {
    ...process.env,
    HOSTNAME: '127.0.0.1',
    PORT: '0',
    API_URL: 'http://127.0.0.1:9',
    WEB_KEY: 'key',
  };
  const pages = fork(serve, { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  onTestFinished(() => void pages.kill('SIGKILL'));
  const ended = new Promise(resolve => pages.once('exit', resolve));

  setTimeout(() => pages.disconnect(), afterMs);

  expect(
    await Promise.race([ended, new Promise(resolve => setTimeout(() => resolve('still running'), 8000))]),
  ).toBe(0);
});
