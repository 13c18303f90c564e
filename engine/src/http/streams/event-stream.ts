import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ProblemSlug } from '../answers/problem-slugs.js';

/** One server-sent event; `data` may hold line breaks, `id` and `event` may not. */
export type StreamEvent = { id: string; event: string; data: string };

export type EventStream = {
  /** Never waits. A reader that leaves too much unread is dropped instead, and reconnects if it is still there. */
  send(event: StreamEvent): void;
  end(): void;
  /** Told once, when the stream is over for whatever reason; at once if it is over already. */
  onClose(handler: () => void): void;
};

type Refusal = Extract<ProblemSlug, 'unavailable' | 'overloaded' | 'too-many-streams'>;

export type EventStreams = {
  /** Turns the answer into a stream of events, which lasts until one side ends it. */
  open(reply: FastifyReply, shopperId: string): EventStream | Refusal;
};

export type EventStreamOptions = {
  heartbeatEveryMs: number;
  /** Bytes written that the socket has not taken yet. */
  bufferedBytesMax: number;
  streamsPerShopperMax: number;
  streamsMax: number;
};

const defaults: EventStreamOptions = {
  // Proxies close what has been silent for 30 to 60 s.
  heartbeatEveryMs: 15_000,
  // Hundreds of events: who is that far behind does not read.
  bufferedBytesMax: 64 * 1024,
  // More tabs than anyone watches.
  streamsPerShopperMax: 20,
  // Some 20 kB each with their socket: 200 MB.
  streamsMax: 10_000,
};

/** Server-sent events. Streams end when the server closes, so that none of them holds a shutdown open. */
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

/** The text of an event; a line break in `data` begins another data line, which the reader joins again. */
export function frameOf({ id, event, data }: StreamEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map(line => `data: ${line}\n`);
  return `id: ${oneLine(id)}\nevent: ${oneLine(event)}\n${lines.join('')}\n`;
}

// Browsers wait this long before they connect again; the time a restart takes.
const retryMs = 2000;
// What an ended stream has to send is small; a peer that does not take it by then is not there.
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
    // Judged before the write: what this turn has written already has not had its chance to leave.
    if (raw.writableLength > bufferedBytesMax) raw.destroy();
    else raw.write(text);
  }

  function close(): void {
    isOver = true;
    clearInterval(heartbeat);
    for (const handler of handlers.splice(0)) handler();
  }

  // A reader that goes away in the middle of a write is no failure of ours.
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
  // nginx would gather events until its buffer is full.
  'x-accel-buffering': 'no',
  // Nothing comes after a stream; an idle connection behind its end would have to be waited for.
  connection: 'close',
};

function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}
