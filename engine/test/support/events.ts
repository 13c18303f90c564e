import { type ClientRequest, get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { until } from './condition.js';

type ReceivedEvent = { id: string; event: string; data: string };

export type EventReader = {
  status: number;
  headers: IncomingHttpHeaders;
  events: ReceivedEvent[];
  /** Lines that begin with a colon: heartbeats. */
  comments: string[];
  isOver(): boolean;
  /** Leaves incoming data in the socket, as a hanging reader does. */
  stopReading(): void;
  readOn(): void;
  close(): void;
};

/** Reads a stream of server-sent events as a browser does, but does not reconnect. */
export async function readEvents(url: string, headers: Record<string, string>): Promise<EventReader> {
  const { request, response } = await open(url, headers);
  const events: ReceivedEvent[] = [];
  const comments: string[] = [];
  let isOver = false;
  let rest = '';
  onTestFinished(() => {
    request.destroy();
  });
  response.on('error', () => {});
  response.on('close', () => {
    isOver = true;
  });
  response.setEncoding('utf8').on('data', text => {
    const blocks = `${rest}${text}`.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      if (block.startsWith(':')) comments.push(block);
      else if (block.includes('data:')) events.push(parse(block));
    }
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    comments,
    isOver: () => isOver,
    stopReading: () => response.pause(),
    readOn: () => response.resume(),
    close: () => request.destroy(),
  };
}

/** Waits for that many events. @returns the status that each carries. */
export async function statuses(reader: EventReader, count: number): Promise<string[]> {
  await until(`there are ${count} events`, () => reader.events.length >= count);
  return reader.events.map(({ data }) => dataSchema.parse(JSON.parse(data)).status);
}

const dataSchema = z.looseObject({ status: z.string() });

function open(
  url: string,
  headers: Record<string, string>,
): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers, agent: false }, response => resolve({ request, response }));
    request.on('error', reject);
  });
}

function parse(block: string): ReceivedEvent {
  const lines = block.split('\n').map(line => /^(\w+): (.*)$/.exec(line) ?? []);
  const valuesOf = (field: string) => lines.flatMap(([, name, value]) => (name === field ? [value] : []));
  return {
    id: valuesOf('id').join(),
    event: valuesOf('event').join(),
    data: valuesOf('data').join('\n'),
  };
}
