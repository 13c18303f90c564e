import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../test/support/condition.js';
import { createDraining } from './draining.js';
import { listen } from './listeners.js';

const comers = 200;

describe('new connections', () => {
  // One listener is the negative control: it is Node's own behaviour.
  it.each([
    { listeners: 32, most: 32 },
    { listeners: 1, most: 1 },
  ])('arriving at once are accepted $most per turn by $listeners listeners', async ({ listeners, most }) => {
    const { app, port } = await start(listeners);
    const perTurn = countPerTurn(app);

    await Promise.all(Array.from({ length: comers }, () => comeTo(port)));
    await perTurn.until(comers);

    expect(Math.max(...perTurn.counts)).toBe(most);
  });

  it('reach the same routes through each listener, and requests in flight are answered while the server drains', async () => {
    const { app, port, release, draining } = await start(8);
    const sockets = await Promise.all(Array.from({ length: 40 }, () => comeTo(port)));
    const answers = sockets.map(socket => answerOf(socket));
    const perTurn = countPerTurn(app, 'request');
    for (const socket of sockets) socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
    await perTurn.until(40);

    const drained = draining.drain(20_000);
    await until('no listener is left', () => isRefused(port));
    release();

    expect((await Promise.all(answers)).filter(text => text.startsWith('HTTP/1.1 200 '))).toHaveLength(40);
    await drained;
  });

  it('are accepted even if not every copy of the listener can be made', async () => {
    const { execPath } = process;
    process.execPath = '/nonexistent/node';
    const { app, port, reasons } = await start(8).finally(() => {
      process.execPath = execPath;
    });
    expect(String(reasons)).toContain('ENOENT');
    const perTurn = countPerTurn(app);
    await comeTo(port);
    await perTurn.until(1);
  });
});

async function start(listeners: number) {
  const app = Fastify();
  let release = () => {};
  const released = new Promise<void>(resolve => {
    release = resolve;
  });
  app.get('/slow', async () => {
    await released;
    return 'done';
  });
  onTestFinished(() => app.close());
  const draining = createDraining(app, 0);
  const reasons: unknown[] = [];
  const place = { host: '127.0.0.1', port: 0, backlog: 1024, listeners };
  const url = await listen(app, place, reason => reasons.push(reason));
  return { app, port: Number(new URL(url).port), release, draining, reasons };
}

async function comeTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function isRefused(port: number): Promise<boolean> {
  const coming = await comeTo(port).catch((error: NodeJS.ErrnoException) => error);
  if (coming instanceof Error) return coming.code === 'ECONNREFUSED';
  coming.destroy();
  return false;
}

async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** How many arrived in each turn of the event loop that saw any. */
function countPerTurn(app: FastifyInstance, event = 'connection') {
  const counts: number[] = [];
  let now = 0;
  let total = 0;
  app.server.on(event, () => {
    now += 1;
    total += 1;
    if (now > 1) return;
    setImmediate(() => {
      counts.push(now);
      now = 0;
    });
  });
  return {
    counts,
    async until(wanted: number) {
      while (total < wanted || now > 0) await new Promise(resolve => setImmediate(resolve));
    },
  };
}
