import { connect, createServer, type Socket } from 'node:net';
import { portOf } from './port-of.js';

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
  /** Closes every connection on the server's side. The client notices nothing until `mend()`. */
  sever(): void;
  mend(): void;
  /** Closes every connection on both sides. */
  drop(): void;
  close(): void;
};

/** The faults in effect. */
type Faults = {
  pattern: string;
  cutsLeft: number;
  cuts: number;
  isSilent: boolean;
  isSevered: boolean;
  delayMs: number;
};

type Connection = { client: Socket; upstream: Socket; pipes: readonly Pipe[] };

/** Forwards between the engine and a server, such as PostgreSQL, and injects faults on request. */
export async function openFaultProxy(serverUrl: string): Promise<FaultProxy> {
  const target = new URL(serverUrl);
  const faults: Faults = {
    pattern: '',
    cutsLeft: 0,
    cuts: 0,
    isSilent: false,
    isSevered: false,
    delayMs: 0,
  };
  const connections = new Set<Connection>();
  const server = createServer(client => {
    const connection = forward(client, connect(Number(target.port), target.hostname), faults);
    connections.add(connection);
    client.on('close', () => connections.delete(connection));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const drop = () => {
    for (const { client, upstream } of connections) {
      client.destroy();
      upstream.destroy();
    }
  };

  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String(portOf(server.address()));
  return {
    url: url.href,
    cutReplyTo(text, times) {
      faults.pattern = text;
      faults.cutsLeft = times;
    },
    setSilent(isSilent) {
      faults.isSilent = isSilent;
      for (const { pipes } of connections) for (const pipe of pipes) pipe.pump();
    },
    setDelay(delayMs) {
      faults.delayMs = delayMs;
    },
    cuts: () => faults.cuts,
    sever() {
      faults.isSevered = true;
      for (const { upstream } of connections) upstream.destroy();
    },
    mend() {
      faults.isSevered = false;
      drop();
    },
    drop,
    close() {
      drop();
      server.close();
    },
  };
}

/** Forwards data in both directions, subject to the faults in effect. */
function forward(client: Socket, upstream: Socket, faults: Faults): Connection {
  if (faults.isSevered) upstream.destroy();
  const isHeld = () => faults.isSilent;
  const toServer = createPipe(upstream, isHeld);
  const toClient = createPipe(client, isHeld);
  let isMarked = false;
  for (const socket of [client, upstream]) {
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!faults.isSevered) client.destroy();
      upstream.destroy();
    });
  }
  client.on('data', chunk => {
    if (faults.cutsLeft > 0 && chunk.includes(faults.pattern)) {
      faults.cutsLeft -= 1;
      isMarked = true;
    }
    toServer.push(chunk, 0);
  });
  upstream.on('data', chunk => {
    if (isMarked) {
      faults.cuts += 1;
      client.destroy();
    } else toClient.push(chunk, faults.delayMs);
  });
  return { client, upstream, pipes: [toServer, toClient] };
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
