import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { endProcess } from '../../drill/servers/end-process.js';
import { findFreePort } from '../../drill/servers/free-port.js';
import { findProgram } from '../../drill/servers/programs.js';
import { isListening } from '../../drill/servers/server-process.js';
import { until } from './condition.js';

// Fewer than the engine opens to it, so that connections have to share them.
const serverConnections = 4;

/**
 * A PgBouncer for the test in transaction mode, in front of the server of `databaseUrl`.
 *
 * @returns the address of the same database through it.
 */
export async function startPgbouncer(databaseUrl: string): Promise<string> {
  const program = findProgram('pgbouncer');
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-pgbouncer-'));
  const port = await findFreePort();
  const settings = join(directory, 'pgbouncer.ini');
  await writeFile(settings, settingsFor(new URL(databaseUrl), port));
  const isRoot = process.getuid?.() === 0;
  // It refuses to run as root.
  const child = spawn(program, [...(isRoot ? ['--user', 'nobody'] : []), settings], { stdio: 'ignore' });
  await chmod(directory, 0o755);
  onTestFinished(async () => {
    await endProcess(child);
    await rm(directory, { recursive: true, force: true });
  });
  await until('PgBouncer listens', () => isListening(port), 20_000);
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return url.href;
}

function settingsFor({ hostname, port: serverPort, username, password }: URL, port: number): string {
  const account = `user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`;
  return `[databases]
* = host=${hostname} port=${serverPort} ${account}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${serverConnections}
max_client_conn = 500
`;
}
