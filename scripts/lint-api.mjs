// Lints the OpenAPI description that the built engine prints; that takes no database and no network.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const engine = join(root, 'engine', 'bin', 'doorbuster.js');
const redocly = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'));
const directory = mkdtempSync(join(tmpdir(), 'doorbuster-openapi-'));

try {
  const description = join(directory, 'openapi.json');
  writeFileSync(description, run(engine, 'openapi'));
  run(redocly, 'lint', description, '--config', join(root, 'redocly.yaml'));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true });
}

/**
 * @param {string} program
 * @param {string[]} args
 * @returns what it prints. Throws all of it where it fails.
 */
function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // redocly would send usage figures, and ask for its newest version.
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
}
