import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseTarget, parseTargets } from '../http/target.js';
import { createDrive, type Drive, type DriveListener, type DriveOptions } from './drive.js';

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await stop(server);
});

describe('a closed loop', () => {
  it('sends exactly the number of requests, each once', async () => {
    const { port, bodies } = await startEcho();
    const { drive, ended } = createCounted(port, { connections: 7 }, 500);
    await drive.open();
    const result = await drive.run();
    expect(result).toMatchObject({
      issued: 500,
      unsent: 0,
      overflowed: 0,
      interrupted: false,
      givenUp: false,
    });
    expect(ended).toEqual({ 200: 500 });
    expect(new Set(bodies).size).toBe(500);
  });

  it('opens many connections smoothly', async () => {
    const { port } = await startEcho();
    const { drive, ended } = createCounted(port, { connections: 1_000 }, 2_000);
    await drive.open();
    const result = await drive.run();
    expect(result.connections).toEqual({ opened: 1_000, refused: 0 });
    expect(ended).toEqual({ 200: 2_000 });
  });

  it('sends follow-ups before the next planned request, and waits for their answers', async () => {
    const { port, bodies } = await startEcho();
    const due = [1_000, 1_001, 1_002];
    const followUps = {
      take: () => due.pop() ?? -1,
      get isEmpty() {
        return due.length === 0;
      },
    };
    const { drive, ended } = createCounted(port, { connections: 1, followUps }, 5);
    const opened = due.splice(0);
    await drive.open();
    due.push(...opened);
    expect(await drive.run()).toMatchObject({ issued: 8, unsent: 0 });
    expect(ended).toEqual({ 200: 8 });
    expect(bodies).toEqual(['0', '1002', '1001', '1000', '1', '2', '3', '4']);
  });

  it('sends no follow-ups after an interruption', async () => {
    const { port } = await startEcho();
    const { drive } = createCounted(port, { followUps: { take: () => -1, isEmpty: false } }, 10);
    await drive.open();
    const running = drive.run();
    drive.interrupt();
    expect(await running).toMatchObject({ interrupted: true });
  });

  it('stops sending and ends after an interruption', async () => {
    const { port } = await startEcho();
    const { drive, ended } = createCounted(port, { connections: 5 }, 1_000_000);
    await drive.open();
    setTimeout(drive.interrupt, 100);
    const result = await drive.run();
    expect(result.interrupted).toBe(true);
    expect(ended).toEqual({ 200: result.issued });
  });

  it('reconnects after an outage of the server, and counts the lost requests', async () => {
    const first = await startEcho();
    const { drive, ended } = createCounted(first.port, { connections: 20 }, 20_000);
    await drive.open();
    const running = drive.run();
    await until(() => (ended[200] ?? 0) > 500);
    await stop(first.server);
    await startEcho(first.port);
    const result = await running;
    const lost = ended['connection-error'] ?? 0;
    expect(lost).toBeLessThanOrEqual(20);
    expect((ended[200] ?? 0) + lost).toBe(20_000);
    expect(result.connections.opened).toBeGreaterThan(20);
  });

  it('gives up when the server stays unreachable, and reports the unsent requests', async () => {
    const { server, port } = await startEcho();
    const { drive, ended } = createCounted(port, { connections: 4, reconnectLimitMs: 400 }, 1_000_000);
    await drive.open();
    const running = drive.run();
    await until(() => (ended[200] ?? 0) > 100);
    await stop(server);
    const result = await running;
    expect(result.givenUp).toBe(true);
    expect(result.connections.refused).toBeGreaterThan(0);
    expect(result.issued + result.unsent).toBe(1_000_000);
  });

  it('times out unanswered requests and continues', async () => {
    const server = createServer((request, response) => {
      request.resume();
      if (request.url !== '/hang') response.end('{}');
    });
    const port = await listen(server);
    const { drive, ended } = createCounted(port, { requestTimeoutMs: 200 }, 30, i =>
      i % 10 === 0 ? '/hang' : '/',
    );
    await drive.open();
    await drive.run();
    expect(ended).toEqual({ 200: 27, timeout: 3 });
  });

  it('cannot start when no server listens', async () => {
    const { server, port } = await startEcho();
    await stop(server);
    const { drive } = createCounted(port, { reconnectLimitMs: 200 }, 1);
    await expect(drive.open()).rejects.toThrow(/Only 0 of 3 connections .* is the server running/i);
  });
});

describe('an open loop', () => {
  it('keeps the rate', async () => {
    const { port } = await startEcho();
    const pace = { kind: 'open', ratePerSecond: 400, durationMs: 500 } as const;
    const { drive, ended } = createCounted(port, { pace }, 0);
    await drive.open();
    const result = await drive.run();
    expect(ended).toEqual({ 200: 200 });
    expect(result.elapsedMs).toBeGreaterThan(480);
  });

  it('counts arrivals beyond its queue as overflow and loses none', async () => {
    const server = createServer(request => request.resume());
    const port = await listen(server);
    const pace = { kind: 'open', ratePerSecond: 100, durationMs: 20_000 } as const;
    const { drive, ended } = createCounted(port, { pace, connections: 1, requestTimeoutMs: 60_000 }, 0);
    await drive.open();
    const running = drive.run();
    setTimeout(drive.interrupt, 200);
    await stop(server);
    servers.length = 0;
    const result = await running;
    expect(result.issued + result.unsent + result.overflowed).toBe(2_000);
    expect(ended['connection-error']).toBe(1);
  });
});

describe('a target', () => {
  it.each(['https://shop.example', 'http://a/b', 'localhost:3000', ''])(
    '%s is refused with the remedy',
    url => {
      expect(() => parseTarget(url)).toThrow(/only http:\/\/ is supported/);
    },
  );

  it('can be one of several; connections are assigned to them in turn', async () => {
    const shops = await Promise.all([startEcho(), startEcho(), startEcho()]);
    const [first, ...others] = shops.map(({ port }) => `http://127.0.0.1:${port}`);
    const targets = parseTargets([first, ...others].join(','));
    const pace = { kind: 'closed', requestsMax: 6, durationMs: null } as const;
    const { drive } = createCounted(0, { targets, connections: 6, pace }, 6);
    await drive.open();
    await drive.run();
    expect(shops.map(({ bodies }) => bodies.length)).toEqual([2, 2, 2]);
  });

  it('can be an IPv6 address', () => {
    expect(parseTarget('http://[::1]:80')).toMatchObject({ host: '::1', port: 80 });
  });
});

type Ended = Record<string, number>;

function createCounted(
  port: number,
  given: Partial<DriveOptions>,
  requestsMax: number,
  pathOf: (ordinal: number) => string = () => '/',
): { drive: Drive; ended: Ended } {
  const ended: Ended = {};
  const add = (name: string | number) => {
    ended[name] = (ended[name] ?? 0) + 1;
  };
  const listener: DriveListener = {
    onAnswer: (_ordinal, status) => add(status),
    onLost: (_ordinal, loss) => add(loss),
  };
  const options: DriveOptions = {
    targets: [parseTarget(`http://127.0.0.1:${port}`)],
    connections: 3,
    requestTimeoutMs: 5_000,
    reconnectLimitMs: 5_000,
    pace: { kind: 'closed', requestsMax, durationMs: null },
    write: ordinal => {
      const body = String(ordinal);
      return `POST ${pathOf(ordinal)} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    },
    ...given,
  };
  return { drive: createDrive(options, listener), ended };
}

async function startEcho(port = 0): Promise<{ server: Server; port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
    request.on('end', () => response.end('{}'));
  });
  return { server, port: await listen(server, port), bodies };
}

async function listen(server: Server, port = 0): Promise<number> {
  servers.push(server);
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', 511, resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('The condition was not met within 5 s.');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
