import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ZodType } from 'zod';
import { credentials } from './servers.js';
import { makeTemporaryDirectory, removeDirectory } from './temporary-directory.js';

const loadgen = fileURLToPath(new URL('../../loadgen/dist/main.js', import.meta.url));
const runTimeoutMs = 10 * 60_000;

/**
 * Runs our own load generator to its end.
 *
 * @param onMessage receives the messages that it sends over its IPC channel.
 * @returns the part of its report that `schema` describes, whatever its verdict.
 */
export async function runLoadgen<Report>(
  args: readonly string[],
  schema: ZodType<Report>,
  onMessage?: (message: unknown) => void,
): Promise<Report> {
  const directory = makeTemporaryDirectory();
  const file = join(directory, 'report.json');
  try {
    const child = spawn(process.execPath, [loadgen, ...args, '--quiet', '--json', file], {
      env: { ...process.env, ...credentials },
      stdio: ['ignore', 'ignore', 'inherit', ...(onMessage ? (['ipc'] as const) : [])],
      timeout: runTimeoutMs,
    });
    if (onMessage) child.on('message', onMessage);
    await once(child, 'exit');
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } finally {
    removeDirectory(directory);
  }
}
