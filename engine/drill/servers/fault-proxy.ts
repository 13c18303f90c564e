import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type FaultProxy = {
  /** The server's address through the proxy. */
  url: string;
  /**
   * Lets the next statements that contain `text` reach the server and commit, then cuts the connection instead of
   * replying.
   */
  cutReplyTo(text: string, times: number): void;
  /** While silent, forwards nothing: a black hole, after which the withheld data arrives. */
  setSilent(isSilent: boolean): void;
  /** Delays the server's replies by this many milliseconds. */
  setDelay(delayMs: number): void;
  cuts(): number;
  /** Closes every connection on the server's side. The client's side notices nothing until it is repaired. */
  sever(): void;
  mend(): void;
  /** Closes every connection on both sides. */
  drop(): void;
  close(): void;
};

/** A proxy between the engine and a server, such as PostgreSQL, that injects faults on demand. */
export async function openFaultProxy(serverUrl: string): Promise<FaultProxy> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const pipes = new Set<Pipe>();
  let pattern = '';
  let cutsLeft = 0;
  let cutCount = 0;
  let isSilent = false;
  let isSevered = false;
  let delayMs = 0;

  const server = createServer(client => {
    const upstream = connect(Number(target.port), target.hostname);
    upstreams.add(upstream);
    if (isSevered) upstream.destroy();
    let isMarked = false;
    const toServer = createPipe(upstream, () => isSilent);
    const toClient = createPipe(client, () => isSilent);
    for (const pipe of [toServer, toClient]) pipes.add(pipe);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        if (!isSevered) client.destroy();
        upstream.destroy();
        upstreams.delete(upstream);
        sockets.delete(socket);
        for (const pipe of [toServer, toClient]) pipes.delete(pipe);
      });
    }
    client.on('data', chunk => {
      if (cutsLeft > 0 && chunk.includes(pattern)) {
        cutsLeft -= 1;
        isMarked = true;
      }
      toServer.push(chunk, 0);
    });
    upstream.on('data', chunk => {
      if (isMarked) {
        cutCount += 1;
        client.destroy();
      } else toClient.push(chunk, delayMs);
    });
  });
  const pumpAll = () => {
    for (const pipe of pipes) pipe.pump();
  };
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };

  const url = new URL(serverUrl);
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
      pumpAll();
    },
    setDelay(value) {
      delayMs = value;
    },
    cuts: () => cutCount,
    sever() {
      isSevered = true;
      for (const upstream of upstreams) upstream.destroy();
    },
    mend() {
      isSevered = false;
      drop();
    },
    drop,
    close() {
      drop();
      server.close();
    },
  };
}

type Pipe = { push(chunk: Buffer, delayMs: number): void; pump(): void };

/** Forwards bytes in order, as TCP does. It may hold bytes back, but never loses or reorders them. */
function createPipe(socket: Socket, isHeld: () => boolean): Pipe {
  const waiting: { chunk: Buffer; dueAtMs: number }[] = [];
  function pump(): void {
    while (waiting[0] && !isHeld() && waiting[0].dueAtMs <= performance.now()) {
      const next = waiting.shift();
      if (next && !socket.destroyed) socket.write(next.chunk);
    }
  }
  return {
    pump,
    push(chunk, delayMs) {
      waiting.push({ chunk, dueAtMs: performance.now() + delayMs });
      if (delayMs > 0) setTimeout(pump, delayMs + 1);
      pump();
    },
  };
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy does not listen on TCP');
  return address.port;
}
