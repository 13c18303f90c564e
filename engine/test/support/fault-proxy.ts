import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export type FaultProxy = {
  /** The server's address through the proxy. */
  url: string;
  /** Lets the next statements that contain `text` reach the server and be committed, then cuts instead of replying. */
  cutReplyTo(text: string, times: number): void;
  /** Takes and sends nothing for as long as it is on: a black hole. */
  setSilent(isSilent: boolean): void;
  /** Holds back what the server says by so many milliseconds. */
  setDelay(delayMs: number): void;
  cuts(): number;
};

/** Stands between the engine and a server (PostgreSQL, Redis) and spoils what it is told to. */
export async function startFaultProxy(databaseUrl: string): Promise<FaultProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let pattern = '';
  let cutsLeft = 0;
  let cutCount = 0;
  let isSilent = false;
  let delayMs = 0;

  const server = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname);
    let isMarked = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    client.on('data', chunk => {
      if (cutsLeft > 0 && chunk.includes(pattern)) {
        cutsLeft -= 1;
        isMarked = true;
      }
      if (!isSilent) upstream.write(chunk);
    });
    upstream.on('data', chunk => {
      if (isMarked) {
        cutCount += 1;
        client.destroy();
      } else if (delayMs > 0) {
        setTimeout(() => client.destroyed || client.write(chunk), delayMs);
      } else if (!isSilent) client.write(chunk);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(portOf(server.address()));
  return {
    url: url.href,
    cutReplyTo(text, times) {
      pattern = text;
      cutsLeft = times;
    },
    setSilent(value) {
      isSilent = value;
    },
    setDelay(value) {
      delayMs = value;
    },
    cuts: () => cutCount,
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen on TCP');
  return address.port;
}
