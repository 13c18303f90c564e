import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ProblemSlug } from '../answers/problem-slugs.js';

/** One server-sent event; `data` may hold line breaks, `id` and `event` may not. */
export type StreamEvent = { id: string; event: string; data: string };

export type EventStream = {
  /** Never waits. A reader that leaves too much unread is disconnected instead, and reconnects if it is still there. */
  send(event: StreamEvent): void;
  end(): void;
  /** Calls the handler once, when the stream is over for whatever reason; at once if it is over already. */
  onClose(handler: () => void): void;
};

type Refusal = Extract<ProblemSlug, 'unavailable' | 'overloaded' | 'too-many-streams'>;

export type EventStreams = {
  /** Turns the answer into a stream of events that lasts until one side ends it. */
  open(reply: FastifyReply, shopperId: string): EventStream | Refusal;
};

export type EventStreamOptions = {
  heartbeatEveryMs: number;
  /** Bytes that were written but that the socket has not taken yet. */
  bufferedBytesMax: number;
  streamsPerShopperMax: number;
  streamsMax: number;
};

const defaults: EventStreamOptions = {
  // Proxies close connections that are silent for 30 to 60 s.
  heartbeatEveryMs: 15_000,
  // Hundreds of events: a reader that far behind is not reading.
  bufferedBytesMax: 64 * 1024,
  // More tabs than anyone watches.
  streamsPerShopperMax: 20,
  // Some 20 kB each with their socket: 200 MB.
  streamsMax: 10_000,
};

/** Server-sent events. Streams end when the server closes, so that they do not delay a shutdown. */
export function createEventStreams(
  server: FastifyInstance,
  options: Partial<EventStreamOptions> = {},
): EventStreams {
  const { streamsPerShopperMax, streamsMax, ...limits } = { ...defaults, ...options };
  const open = new Set<EventStream>();
  const openByShopper = new Map<string, number>();
  let isClosing = false;

  server.addHook('preClose', done => {
    isClosing = true;
    for (const stream of open) stream.end();
    done();
  });

  function refusalFor(shopperId: string): Refusal | undefined {
    if (isClosing) return 'unavailable';
    if (open.size >= streamsMax) return 'overloaded';
    const isGreedy = (openByShopper.get(shopperId) ?? 0) >= streamsPerShopperMax;
    return isGreedy ? 'too-many-streams' : undefined;
  }

  function count(shopperId: string, change: 1 | -1): void {
    const left = (openByShopper.get(shopperId) ?? 0) + change;
    if (left > 0) openByShopper.set(shopperId, left);
    else openByShopper.delete(shopperId);
  }

  return {
    open(reply, shopperId) {
      const refusal = refusalFor(shopperId);
      if (refusal) return refusal;
      const stream = startStream(reply, limits);
      open.add(stream);
      count(shopperId, 1);
      stream.onClose(() => {
        open.delete(stream);
        count(shopperId, -1);
      });
      return stream;
    },
  };
}

/** The text of an event. A line break in `data` begins another data line, which the reader joins again. */
export function frameOf({ id, event, data }: StreamEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map(line => `data: ${line}\n`);
  return `id: ${oneLine(id)}\nevent: ${oneLine(event)}\n${lines.join('')}\n`;
}

// How long browsers wait before they reconnect; about as long as a restart takes.
const retryMs = 2000;
// The rest of an ended stream is small; a peer that has not taken it by then is gone.
const lingerMs = 1000;

function startStream(
  reply: FastifyReply,
  { heartbeatEveryMs, bufferedBytesMax }: Pick<EventStreamOptions, 'heartbeatEveryMs' | 'bufferedBytesMax'>,
): EventStream {
  const { raw } = reply.hijack();
  const handlers: (() => void)[] = [];
  const heartbeat = setInterval(() => write(':\n\n'), heartbeatEveryMs).unref();
  let isOver = raw.destroyed;

  function write(text: string): void {
    if (isOver || raw.writableEnded) return;
    // Checked before the write: what this turn has already written has had no chance to leave.
    if (raw.writableLength > bufferedBytesMax) raw.destroy();
    else raw.write(text);
  }

  function close(): void {
    isOver = true;
    clearInterval(heartbeat);
    for (const handler of handlers.splice(0)) handler();
  }

  // A reader that disconnects in the middle of a write is not an error of the engine.
  raw.on('error', () => {});
  raw.once('close', close);
  for (const [name, value] of Object.entries(reply.headers(headers).getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  write(`retry: ${retryMs}\n\n`);
  if (isOver) close();

  return {
    send: event => write(frameOf(event)),
    end() {
      if (isOver || raw.writableEnded) return;
      clearInterval(heartbeat);
      raw.end();
      const linger = setTimeout(() => raw.destroy(), lingerMs).unref();
      raw.once('close', () => clearTimeout(linger));
    },
    onClose(handler) {
      if (isOver) handler();
      else handlers.push(handler);
    },
  };
}

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Otherwise nginx buffers events until its buffer is full.
  'x-accel-buffering': 'no',
  // Nothing follows a stream, and a shutdown would have to wait for the idle connection behind it.
  connection: 'close',
};

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}
