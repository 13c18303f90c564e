import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../until.js';
import type { PatroniNode } from './patroni-node.js';
import { isListening, type LaunchedServer, launch } from './server-process.js';

/**
 * Routes to the server that Patroni reports as the primary. When the primary changes, it cuts connections to the
 * previous one. Their clients would otherwise wait for a server that is down, or write to one that no longer leads.
 */
export async function launchHaproxy(
  program: string,
  directory: string,
  port: number,
  nodes: readonly PatroniNode[],
): Promise<LaunchedServer> {
  const file = join(directory, 'haproxy.cfg');
  const servers = nodes.map(
    ({ name, ...at }) => `  server ${name} 127.0.0.1:${at.port} check port ${at.restPort}`,
  );
  await writeFile(file, `${settings}  bind 127.0.0.1:${port}\n${servers.join('\n')}\n`);
  const server = launch(program, ['-db', '-f', file]);
  await until('HAProxy listens', () => isListening(port), 20_000);
  return server;
}

const settings = `defaults
  mode tcp
  maxconn 1000
  timeout connect 1s
  timeout check 1s
  timeout client 1h
  timeout server 1h
listen postgres
  option httpchk OPTIONS /primary
  http-check expect status 200
  default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
`;
