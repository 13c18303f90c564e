import { Agent, request } from 'node:http';
import { z } from 'zod';

export type RawAnswer = { status: number; headers: Record<string, string>; text: string };

export type RawRequest = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer | undefined;
};

const problemSchema = z.looseObject({ type: z.string(), status: z.int(), success: z.literal(false) });

/**
 * Sends requests unchanged: fetch would normalise paths and headers. Keeps at most `socketsMax` connections open.
 */
export function createSend(url: string, socketsMax: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  const { hostname, port } = new URL(url);
  const send = ({ method, path, headers, body }: RawRequest): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ hostname, port, agent, method, path, headers }, response => {
        const answer = { status: response.statusCode ?? 0, headers: textHeaders(response.headers), text: '' };
        // The content of a stream does not matter here.
        if (answer.headers['content-type'] === 'text/event-stream') {
          outgoing.destroy();
          resolve(answer);
        }
        response.setEncoding('utf8').on('data', text => {
          answer.text += text;
        });
        response.on('end', () => resolve(answer));
        response.on('error', reject);
      });
      // A body that is refused while it is being sent breaks off; the answer has already arrived.
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  return { send, close: () => agent.destroy() };
}

/** The last part of a problem's type; the received text if it is not a problem. */
export function slugOf({ text }: RawAnswer): string {
  const problem = problemSchema.safeParse(parsed(text));
  return problem.success ? (problem.data.type.split('/').at(-1) ?? '') : `not a problem: ${text}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textHeaders(headers: Readonly<Record<string, string | string[] | undefined>>) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
