import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { readDocument, root, shellBlocks } from './support/documents.js';
import { createDataDir, type EngineProcess, startEngine } from './support/engine.js';

const readme = readDocument('README.md');
// The tour continues where the README ends: its commands use variables that the README's have set.
const walk = [readme, readDocument('docs/start.md')]
  .flatMap(shellBlocks)
  .filter(block => block.includes('curl'));

const exampleSchema = z.looseObject({ order: z.looseObject({ id: z.string(), status: z.string() }) });
const example = exampleSchema.parse(JSON.parse(/```json\n(.*?)```/s.exec(readme)?.[1] ?? ''));

/** A directory in which the commands are typed, with `npm start` running on its .doorbuster. */
async function startShop(): Promise<{ engine: EngineProcess; directory: string }> {
  const dataDir = await createDataDir();
  const engine = await startEngine(dataDir);
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-readme-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  symlinkSync(dataDir, join(directory, '.doorbuster'));
  mkdirSync(join(directory, 'node_modules'));
  symlinkSync(join(root, 'node_modules/.bin'), join(directory, 'node_modules/.bin'));
  return { engine, directory };
}

// Prints each answer's status beside it and keeps each body, so that a later command can name the order of an
// earlier one.
const watched = `
set -eo pipefail
curl() {
  command curl --write-out '%{stderr}%{http_code} %{method} %{url_effective}\\n' "$@" | tee -a answers
}
queued_order() { sed -n 's/.*"order_id":"\\([^"]*\\)".*/\\1/p' answers | tail -n 1; }
`;

function type(commands: string, { engine, directory }: Awaited<ReturnType<typeof startShop>>) {
  const here = commands
    .replaceAll('http://127.0.0.1:3000', engine.url)
    .replaceAll('<order_id>', '$(queued_order)');
  const { DATABASE_URL: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', watched + here], {
    cwd: directory,
    env: { ...env, LOG_LEVEL: 'warn' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  const answers = [...stderr.matchAll(/^(\d{3} \w+) http:\/\/[^/]+(\/\S*)$/gm)].map(
    ([, answer, path = '']) => `${answer} ${path.replace(/[0-9a-f-]{36}/, '<order_id>')}`,
  );
  return { status, stdout, stderr, answers };
}

it('the commands in the README and in the tour do what they promise, typed one after the other', {
  timeout: 120_000,
}, async () => {
  const shop = await startShop();
  const { status, stdout, stderr, answers } = type(walk.join('\n'), shop);
  expect({ status, answers }, stderr).toEqual({
    status: 0,
    answers: [
      '200 GET /api/stock/1',
      '200 POST /api/purchase',
      '201 POST /api/checkout',
      '200 POST /api/purchase',
      '202 POST /api/orders',
      '200 GET /api/orders/<order_id>/events',
      '201 POST /api/admin/products',
      '201 POST /api/admin/sales',
    ],
  });
  // The stream shows the fate of the queued order.
  expect(stdout).toContain('"status":"CONFIRMED"');

  const purchase = shellBlocks(readme).find(block => block.includes('basket-7001')) ?? '';
  const again = type(purchase.replaceAll('curl -s ', 'curl -si '), shop);
  expect(again.stdout).toMatch(/^idempotency-replayed: true\r$/im);
  const answer = exampleSchema.parse(JSON.parse(/^\{"success".*"order".*$/m.exec(again.stdout)?.[0] ?? ''));
  const { id, createdAt, remainingStock, ...promised } = example.order;
  expect(answer.order).toMatchObject({ ...promised, id });
  expect(Object.keys(answer.order).sort()).toEqual(Object.keys(example.order).sort());

  const audit = type('npx doorbuster audit', shop);
  expect(audit).toMatchObject({ status: 0, stdout: expect.stringContaining('All invariants hold.') });
});

it('a command in the README that fails is noticed', { timeout: 120_000 }, async () => {
  const shop = await startShop();
  const wrong = walk
    .join('\n')
    .replace('"quantity": 2, "userId": "alice"', '"quantity": 0, "userId": "alice"');
  expect(type(wrong, shop).answers[1]).toBe('400 POST /api/purchase');
});
