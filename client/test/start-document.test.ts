import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, it } from 'vitest';
import { apiKey } from './support/shop.js';

const document = readFileSync(new URL('../../docs/start.md', import.meta.url), 'utf8');

it('the program in docs/start.md buys unchanged', () => {
  const program = /```js\n(.*?@doorbuster\/client.*?)```/s.exec(document)?.[1] ?? '';
  const here = program.replace('http://127.0.0.1:3000', inject('shopUrl'));
  // Run as a module inside this package, so that it resolves the client by its name.
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', here], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, API_KEY: apiKey },
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^bought CONFIRMED\nqueued CONFIRMED\n$/);
});
