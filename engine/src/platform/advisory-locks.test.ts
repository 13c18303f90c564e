import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { advisoryLocks } from './advisory-locks.js';

const engine = fileURLToPath(new URL('../../', import.meta.url));

it('each advisory lock has its own key', () => {
  const keys = Object.values(advisoryLocks);
  expect(new Set(keys).size).toBe(keys.length);
});

it('statements take the key of an advisory lock only from that list', async () => {
  const uses: string[] = [];
  for (const folder of ['src', 'migrations']) {
    for (const name of await readdir(`${engine}${folder}`, { recursive: true })) {
      if (!/\.(ts|sql)$/.test(name) || name.endsWith('.test.ts')) continue;
      const text = await readFile(`${engine}${folder}/${name}`, 'utf8');
      const isListed = text.includes('[advisoryLocks');
      for (const [call] of text.matchAll(/pg_\w*advisory\w*lock\w*\([^)]*\)/g))
        uses.push(`${name}: ${call} ${isListed ? 'by the list' : 'by itself'}`);
    }
  }
  expect(uses.sort()).toEqual([
    'ledger/attempt-partitions.ts: pg_advisory_xact_lock($1) by the list',
    'platform/leader.ts: pg_try_advisory_lock($1) by the list',
    'platform/migrations.ts: pg_advisory_xact_lock($1) by the list',
  ]);
});
