import pino from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../test/support/condition.js';
import { readEvents } from '../../../test/support/events.js';
import { sendProblem } from '../answers/send-problem.js';
import { createServer } from '../server/http-server.js';
import { createEventStreams, type EventStream, type EventStreamOptions, frameOf } from './event-stream.js';

describe('an event', () => {
  it('is framed so that no line break in it ends it early or starts another event', () => {
    expect(frameOf({ id: '1\n2', event: 'a\rb', data: 'one\ntwo\r\n\r\nthree' })).toBe(
      'id: 1 2\nevent: a b\ndata: one\ndata: two\ndata: \ndata: three\n\n',
    );
  });
});

describe('a stream of events', () => {
  it('sends headers that tell proxies not to buffer or cache it', async () => {
    const { url } = await startStreams();
    const { status, headers } = await readEvents(`${url}/a`, {});

    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  });

  it('carries data with line breaks unchanged', async () => {
    const { url, streams } = await startStreams();
    const reader = await readEvents(`${url}/a`, {});

    streams.at(0)?.send({ id: '1', event: 'note', data: 'one\n\ntwo' });

    await until('the event has arrived', () => reader.events.length === 1);
    expect(reader.events).toEqual([{ id: '1', event: 'note', data: 'one\n\ntwo' }]);
  });

  it('sends heartbeats while nothing happens', async () => {
    const { url } = await startStreams({ heartbeatEveryMs: 20 });
    const reader = await readEvents(`${url}/a`, {});

    await until('there are heartbeats', () => reader.comments.length >= 3);
    expect(reader.isOver()).toBe(false);
  });

  it('disconnects a reader that does not read, and keeps one that does', async () => {
    const { url, streams } = await startStreams();
    const slow = await readEvents(`${url}/slow`, {});
    const quick = await readEvents(`${url}/quick`, {});
    const [toSlow, toQuick] = streams;
    let isDropped = false;
    toSlow?.onClose(() => {
      isDropped = true;
    });

    slow.stopReading();
    let sent = 0;
    const data = 'x'.repeat(512 * 1024);
    await until('the slow reader is disconnected', () => {
      sent += 1;
      toSlow?.send({ id: String(sent), event: 'note', data });
      return isDropped;
    });
    for (let received = 1; received <= sent; received++) {
      toQuick?.send({ id: String(received), event: 'note', data });
      await until('the fast reader has it', () => quick.events.length === received);
    }

    expect(quick.isOver()).toBe(false);
    slow.readOn();
    await until('the slow reader notices', slow.isOver);
    expect(slow.events.length).toBeLessThan(sent);
  });

  it('ends on both sides when its reader disconnects', async () => {
    const { url, streams } = await startStreams();
    const reader = await readEvents(`${url}/a`, {});
    let isClosed = false;
    streams.at(0)?.onClose(() => {
      isClosed = true;
    });

    reader.close();

    await until('the server knows', () => isClosed);
    streams.at(0)?.send({ id: '1', event: 'note', data: 'to nobody' });
  });

  it('closes some time after its end, even if its reader reads nothing', async () => {
    const { url, streams } = await startStreams({ bufferedBytesMax: Number.POSITIVE_INFINITY });
    (await readEvents(`${url}/a`, {})).stopReading();
    let isClosed = false;
    streams.at(0)?.onClose(() => {
      isClosed = true;
    });
    const data = 'x'.repeat(1024 * 1024);
    for (let id = 1; id <= 64; id++) streams.at(0)?.send({ id: String(id), event: 'note', data });

    streams.at(0)?.end();

    await until('it is closed', () => isClosed);
  });
});

describe('the number of streams', () => {
  it('is limited per shopper, and a stream that ends makes room', async () => {
    const { url } = await startStreams({ streamsPerShopperMax: 2 });
    const [first] = [await readEvents(`${url}/a`, {}), await readEvents(`${url}/a`, {})];

    expect((await readEvents(`${url}/a`, {})).status).toBe(429);
    expect((await readEvents(`${url}/b`, {})).status).toBe(200);
    first.close();
    await until('there is room', async () => (await readEvents(`${url}/a`, {})).status === 200);
  });

  it('is limited per process', async () => {
    const { url } = await startStreams({ streamsMax: 2 });
    await readEvents(`${url}/a`, {});
    await readEvents(`${url}/b`, {});

    const refused = await readEvents(`${url}/c`, {});

    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^[123]$/);
  });
});

describe('closing the server', () => {
  it('ends its streams', async () => {
    const { url, close } = await startStreams();
    const reader = await readEvents(`${url}/a`, {});

    await close();

    await until('the reader knows', reader.isOver);
  });

  it('opens no stream for a request that was still in progress', async () => {
    let isAtWork = false;
    let finish = () => {};
    const work = new Promise<void>(resolve => {
      finish = resolve;
    });
    const { url, close } = await startStreams({}, () => {
      isAtWork = true;
      return work;
    });

    const late = readEvents(`${url}/late`, {});
    await until('the request is in progress', () => isAtWork);
    const closed = close();
    await new Promise(resolve => setImmediate(resolve));
    finish();

    expect((await late).status).toBe(503);
    await closed;
  });
});

/** A server on which every path is a stream for the shopper it names, opened after a delay. */
async function startStreams(options: Partial<EventStreamOptions> = {}, work = async () => {}) {
  const server = await createServer(pino({ level: 'silent' }), {
    proxies: [],
    requestTimeoutMs: 8000,
    headersTimeoutMs: 5000,
    idleTimeoutMs: 72_000,
  });
  const eventStreams = createEventStreams(server, options);
  const streams: EventStream[] = [];
  server.get('/:shopper', async (request, reply) => {
    await work();
    const opened = eventStreams.open(reply, request.url);
    if (typeof opened === 'string') return sendProblem(reply, opened);
    streams.push(opened);
    return reply;
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return { url, streams, close: () => server.close() };
}
