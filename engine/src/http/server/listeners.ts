import { spawn } from 'node:child_process';
import { createServer, Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { endsWithin } from '../../platform/backoff.js';

export type ListenOptions = {
  host: string;
  port: number;
  /** Connections that the kernel holds while the process is busy. */
  backlog: number;
  /** New connections that are accepted in one turn of the event loop, at most. */
  listeners: number;
  /** Runs once the routes are ready, before the first connection is accepted. */
  prepare?: () => Promise<void>;
};

const duplicateTimeoutMs = 5000;

// Sends each listening socket back, and closes its own copy in the same turn, so it never accepts a connection.
const echo = `process.on('message', (word, server) => { process.send(word, server); server.close(); });`;

/**
 * Listens several times on one socket. libuv accepts one new connection from a listening socket in a turn of the event
 * loop (libuv/libuv#3696). A turn in which thousands of connections have a request lasts a tenth of a second, so new
 * connections would wait for seconds behind a few thousand persistent ones. Each copy of the socket accepts one more.
 *
 * @param onFewer called with the reason if there are fewer copies than wanted; the server still listens.
 * @returns its address, such as http://127.0.0.1:3000
 */
export async function listen(
  app: FastifyInstance,
  { host, port, backlog, listeners, prepare }: ListenOptions,
  onFewer: (reason: unknown) => void,
): Promise<string> {
  const copies: Server[] = [];
  const ended: Promise<void>[] = [];
  app.addHook('preClose', async () => {
    for (const copy of copies) ended.push(new Promise(resolve => copy.close(() => resolve())));
  });
  app.addHook('onClose', async () => {
    await Promise.all(ended);
  });
  await app.ready();
  await prepare?.();
  const url = await app.listen({ host, port, backlog });
  const pass = (socket: Socket) => app.server.emit('connection', socket);
  await duplicate(app.server, listeners - 1, received => {
    // As Node's HTTP server does: a sender may close its half and still get an answer.
    copies.push(createServer({ allowHalfOpen: true, noDelay: true }, pass).listen(received, backlog));
  }).catch(onFewer);
  return url;
}

/** Lets a helper process send copies back, because Node cannot make them within one process. */
async function duplicate(server: Server, count: number, onCopy: (copy: Server) => void): Promise<void> {
  if (count < 1) return;
  const child = spawn(process.execPath, ['-e', echo], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    const all = new Promise<void>((resolve, reject) => {
      let left = count;
      child.on('error', reject);
      child.on('exit', code => reject(new Error(`the process that copies a listener ended with ${code}`)));
      child.on('message', (_word, copy) => {
        if (copy instanceof Server) onCopy(copy);
        left -= 1;
        if (left > 0) child.send('copy', server);
        else resolve();
      });
      child.send('copy', server);
    });
    if (!(await endsWithin(all, duplicateTimeoutMs)))
      throw new Error('the listener was not copied within 5 seconds');
  } finally {
    child.removeAllListeners();
    child.kill();
  }
}
