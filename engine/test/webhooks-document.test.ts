import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { newWebhookSecret, signedHeaders } from '../src/webhooks/sign.js';
import { until } from './support/condition.js';

const document = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');

it('the receiver in docs/webhooks.md accepts what the engine signs, and nothing else', async () => {
  const secret = newWebhookSecret();
  const { url, output } = await startReceiver(secret);
  const body = JSON.stringify({ type: 'order.confirmed', timestamp: new Date().toISOString(), data: {} });
  const message = { id: 'an-event', timestamp: Math.floor(Date.now() / 1000), body };
  const post = async (secrets: readonly string[], changed: Partial<typeof message> = {}) => {
    const headers = signedHeaders({ ...message, ...changed }, secrets);
    return (await fetch(url, { method: 'POST', headers, body })).status;
  };

  await until('it listens', () => post([secret]).catch(() => undefined));
  expect(await post([newWebhookSecret(), secret])).toBe(204);
  expect(await post([newWebhookSecret()])).toBe(400);
  expect(await post([secret], { body: '{}' })).toBe(400);
  expect(await post([secret], { timestamp: message.timestamp - 3600 })).toBe(400);
  expect(output()).toContain('order.confirmed an-event');
});

async function startReceiver(secret: string) {
  const [, program = ''] = /```js\n(.*?)```/s.exec(document) ?? [];
  const port = await freePort();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    // From there it finds the library by its name.
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, WEBHOOK_SECRET: secret, PORT: String(port) },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text;
  });
  return { url: `http://127.0.0.1:${port}/`, output: () => output };
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
