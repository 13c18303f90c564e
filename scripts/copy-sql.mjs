import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * tsc copies only TypeScript, but the engine reads each statement from the .sql file beside its module.
 * Copies engine/src/**\/*.sql to the same place in engine/dist and removes those whose source no longer exists.
 */
export function copySql() {
  const source = join(root, 'engine', 'src');
  const target = join(root, 'engine', 'dist');
  const wanted = new Set(sqlFilesIn(source));
  for (const path of wanted) copyIfDifferent(join(source, path), join(target, path));
  for (const path of sqlFilesIn(target)) if (!wanted.has(path)) rmSync(join(target, path));
}

/**
 * @param {string} directory
 * @returns {string[]} paths relative to the directory
 */
function sqlFilesIn(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.sql'));
}

/**
 * Leaves an unchanged file alone, because a running engine may be reading it.
 * @param {string} source
 * @param {string} target
 */
function copyIfDifferent(source, target) {
  if (existsSync(target) && readFileSync(target).equals(readFileSync(source))) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(source, target);
}

if (argv[1] === fileURLToPath(import.meta.url)) copySql();
