import { once } from 'node:events';
import { EmbeddedPostgresError } from '../../src/platform/embedded-postgres/postgres-errors.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/start-postgres.js';

// A small engine: starts the server, prints one line of JSON, and stops when its input ends.
const [dataDir = ''] = process.argv.slice(2);
process.on('SIGINT', () => console.log('"interrupted"'));
try {
  const server = await startEmbeddedPostgres({ dataDir });
  console.log(JSON.stringify({ databaseUrl: server.databaseUrl, pid: server.pid }));
  process.stdin.resume();
  await once(process.stdin, 'end');
  await server.stop();
} catch (error) {
  const known = error instanceof EmbeddedPostgresError;
  console.log(JSON.stringify({ code: known ? error.code : 'OTHER', message: String(error) }));
}
process.exit();
