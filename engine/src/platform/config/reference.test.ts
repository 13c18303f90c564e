import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeConfig, readConfig, secrets } from './config.js';
import { describeSettings } from './reference.js';

const page = readFileSync(new URL('../../../../docs/settings.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter(line => line.startsWith('| `'));

it('docs/settings.md is the output of doorbuster config --reference; if this fails, generate the page again', () => {
  expect(page).toBe(describeSettings());
});

it('docs/settings.md lists each setting once with its meaning, and says which can be read from a file', () => {
  const names = describeConfig(readConfig({}))
    .split('\n')
    .map(line => line.split('=', 1)[0]);
  expect(rows.map(row => /^\| `(\w+)`/.exec(row)?.[1]).sort()).toEqual([...names].sort());
  for (const row of rows) expect(row).toMatch(/\| [^|]{10,} \|$/);
  const ofFiles = rows.map(row => /`(\w+)_FILE`/.exec(row)?.[1]).filter(name => name !== undefined);
  expect(ofFiles.sort()).toEqual([...secrets].sort());
});

it('docs/settings.md states defaults, bounds and values as they are in the code', () => {
  for (const row of [
    '| `DB_POOL_MAX` | `25` | 3 to 1000 |',
    '| `IDENTITY` | `demo` | `demo`, `jwt`, `trusted` |',
    '| `DATABASE_URL`, `DATABASE_URL_FILE` |  | `postgres://user:password@host:port/database` |',
    '| `WEB_ENABLED` | `true` | `true`, `false` |',
  ]) {
    expect(page).toContain(row);
  }
});
