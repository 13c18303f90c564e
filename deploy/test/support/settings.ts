import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeConfig, readConfig } from '../../../engine/src/platform/config/config.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

const names = new Set(
  describeConfig(readConfig({}))
    .split('\n')
    .map(line => line.split('=')[0]),
);

export type Environment = Record<string, string>;

/**
 * Problems of the settings that a process of the engine gets: an unknown name, a value that the engine refuses, a
 * secret that it does not read from a file. `contents` are the files behind the variables that end in _FILE.
 */
export function problemsOf(environment: Environment, contents: Environment): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-secrets-'));
  try {
    return [...unknownNames(environment), ...refusals(environment, contents, directory)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function unknownNames(environment: Environment): string[] {
  return Object.keys(environment)
    .filter(name => !names.has(name) && !names.has(name.replace(/_FILE$/, '')))
    .map(name => `${name} is not a setting of the engine`);
}

function refusals(environment: Environment, contents: Environment, directory: string): string[] {
  const given: Environment = { NODE_ENV: 'production', ...environment };
  const secrets: string[] = [];
  for (const [name, path] of Object.entries(environment)) {
    if (!name.endsWith('_FILE')) continue;
    secrets.push(name.replace(/_FILE$/, ''));
    const file = join(directory, name);
    const content = contents[path];
    if (content === undefined) return [`${name}: nothing is mounted at ${path}`];
    writeFileSync(file, content);
    given[name] = file;
  }
  try {
    const shown = describeConfig(readConfig(given)).split('\n');
    return secrets
      .filter(name => !shown.includes(`${name}=(hidden)`))
      .map(name => `${name} is not read from a file`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** The commands of `doorbuster`, and the paths that the API answers: both from the sources. */
export const commands = new Set(
  [...readFileSync(join(root, 'engine/src/cli/program.ts'), 'utf8').matchAll(/command\('(\w+)'\)/g)]
    .map(([, name]) => name)
    .concat('worker', 'scheduler', 'compensator'),
);
