import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './support/documents.js';

const sources = readdirSync(join(root, 'engine/src'), { recursive: true, encoding: 'utf8' }).filter(name =>
  /\.(ts|sql)$/.test(name),
);

/** Names of files that occur in more than one folder. */
function namesTwice(paths: readonly string[]): string[] {
  const names = paths.map(path => basename(path));
  return [...new Set(names.filter((name, position) => names.indexOf(name) !== position))];
}

it('no two files of the engine have the same name', () => {
  expect(sources.length).toBeGreaterThan(200);
  expect(namesTwice(sources)).toEqual([]);
  expect(namesTwice(['a/accept.ts', 'b/accept.ts', 'b/accept.sql'])).toEqual(['accept.ts']);
});
