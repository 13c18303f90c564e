import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { apiKey } from './config.js';

/** A connection on which a test writes HTTP by hand. */
export type RawConnection = {
  socket: Socket;
  write(text: string): void;
  /** Status and headers of the answer; undefined if the connection ends without one. */
  answer(): Promise<RawAnswer | undefined>;
};

export type RawAnswer = { status: number; head: string; tookMs: number };

/**
 * Opens connections to a server, a few hundred at a time because its backlog is bounded; they close when the test
 * ends.
 */
export async function openConnections(url: string, count: number): Promise<RawConnection[]> {
  const connections: RawConnection[] = [];
  while (connections.length < count) {
    const batch = Math.min(200, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: batch }, () => openConnection(url)))));
  }
  return connections;
}

/** @param localAddress the address it comes from, such as 127.0.0.2. */
export async function openConnection(url: string, localAddress?: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  // The answer, or its absence, shows what the server did to the connection.
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  let writtenAtMs = 0;
  let text = '';
  let answer: RawAnswer | undefined;
  let onSettled: ((answer: RawAnswer | undefined) => void)[] = [];
  const settle = () => {
    for (const resolve of onSettled) resolve(answer);
    onSettled = [];
  };
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
    const [, status] = /^HTTP\/1\.1 (\d{3}).*?\r\n\r\n/s.exec(text) ?? [];
    if (status === undefined || answer) return;
    answer = { status: Number(status), head: text, tookMs: performance.now() - writtenAtMs };
    settle();
  });
  socket.on('close', settle);
  return {
    socket,
    write(part) {
      writtenAtMs = performance.now();
      socket.write(part);
    },
    answer: () =>
      new Promise(resolve => {
        onSettled.push(resolve);
        if (answer || socket.destroyed) settle();
      }),
  };
}

/** A purchase as it goes over the wire, with the API key. */
export function purchaseText(
  productId: number,
  userId: string,
  headers: Record<string, string> = {},
): string {
  const body = JSON.stringify({ productId, userId });
  const lines = Object.entries({
    host: 'localhost',
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /api/purchase HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}
