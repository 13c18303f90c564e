// Lints the OpenAPI description that the built engine prints. Needs neither a database nor a network.
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
 * @returns its output. If it fails, throws an error with all output.
 */
function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // By default redocly sends usage data and looks for a newer version.
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
}
