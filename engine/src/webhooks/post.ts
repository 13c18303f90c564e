import { Agent, buildConnector, request } from 'undici';
import { messageOf } from '../platform/errors.js';
import type { Destinations } from './address.js';

type Posted = { status: number; retryAfterMs: number | undefined } | { error: string };

export type Post = {
  /** One try. Never throws. */
  post(url: string, headers: Record<string, string>, body: string, signal: AbortSignal): Promise<Posted>;
  close(): Promise<void>;
};

export type PostOptions = { destinations: Destinations; timeoutMs: number };

// Only the status of an answer matters. The rest is not kept, and beyond this size not read: an operator must not use
// the engine to read what only the engine can reach.
const answerBytesMax = 16 * 1024;
// Per receiver: the maximum number of deliveries in flight.
const connectionsMax = 10;

/**
 * Posts to receivers with untrusted addresses. Addresses are checked when the socket connects, so that a name that resolves
 * differently a moment later (DNS rebinding) is refused. Redirects are not followed; time and answer are bounded.
 */
export function createPost({ destinations, timeoutMs }: PostOptions): Post {
  const connectTo = buildConnector({ lookup: destinations.lookup, timeout: timeoutMs });
  const agent = new Agent({
    connections: connectionsMax,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // Receivers are idle between two sales; a new connection is checked again.
    keepAliveTimeout: 4000,
    connect(options, callback) {
      // A URL with a literal address needs no look-up, so it is checked here.
      const why = destinations.whyNot(new URL(`${options.protocol}//${options.host ?? options.hostname}`));
      if (why) return callback(new Error(why), null);
      return connectTo(options, callback);
    },
  });

  return {
    async post(url, headers, body, signal) {
      try {
        const {
          statusCode,
          headers: answered,
          body: answer,
        } = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers,
          body,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        });
        await answer.dump({ limit: answerBytesMax });
        return { status: statusCode, retryAfterMs: readRetryAfter(answered['retry-after']) };
      } catch (error) {
        return { error: messageOf(error).slice(0, errorCharactersMax) };
      }
    },
    close: () => agent.destroy(),
  };
}

const errorCharactersMax = 500;

function readRetryAfter(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}
