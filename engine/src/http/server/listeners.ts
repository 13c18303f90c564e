import { spawn } from 'node:child_process';
import { createServer, Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { endsWithin } from '../../platform/backoff.js';

export type ListenOptions = {
  host: string;
  port: number;
  /** Connections that the kernel holds for us while we are busy. */
  backlog: number;
  /** New connections that are taken in one turn of the event loop, at most. */
  listeners: number;
};

const duplicateTimeoutMs = 5000;

// Hands each listening socket back, and closes its own copy in the same turn: it never takes a connection.
const echo = `process.on('message', (word, server) => { process.send(word, server); server.close(); });`;

/**
 * Listens in several places on one socket. libuv takes one new connection from a listening socket in a turn of the event loop
 * (libuv/libuv#3696), and a turn in which thousands of connections have a request lasts a tenth of a second: newcomers would
 * wait for seconds, beside a few thousand that are kept alive for ever. Each copy of the socket takes one more.
 *
 * @param onFewer told why there are fewer copies than wanted; the server listens all the same.
 * @returns its address, such as http://127.0.0.1:3000
 */
export async function listen(
  app: FastifyInstance,
  { host, port, backlog, listeners }: ListenOptions,
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
  const url = await app.listen({ host, port, backlog });
  const pass = (socket: Socket) => app.server.emit('connection', socket);
  await duplicate(app.server, listeners - 1, received => {
    // As an HTTP server of Node's has it: a sender may end its half and still be answered.
    copies.push(createServer({ allowHalfOpen: true, noDelay: true }, pass).listen(received, backlog));
  }).catch(onFewer);
  return url;
}

/** A process that is there for nothing else sends copies back: within one process Node can not make them. */
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
      throw new Error('no copies of the listener within 5 seconds');
  } finally {
    child.removeAllListeners();
    child.kill();
  }
}
