import type { Server } from 'node:http';
import { onTestFinished } from 'vitest';
import { portOf } from '../../drill/servers/port-of.js';

/** Has a server listen on a free port until the test ends. @returns the port. */
export async function listenUntilTestEnds(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server.address());
}
