import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { Behaviour } from './wire.js';

export type Answer = { statusCode: number; body: unknown };

export type Misbehaviour = {
  set(behaviour: Behaviour): void;
  /** Does `act` or not, and answers or not, according to the mode. */
  answer(reply: FastifyReply, act: () => Answer, isSlow?: boolean): Promise<FastifyReply>;
  /** Releases all answers that are held back. */
  close(): void;
};

const heldAnswerMs = 30_000;
const good: Behaviour = { mode: 'ok', latencyMs: 0 };

/**
 * Fails its callers in the ways that providers do, to test how they handle it.
 *
 * @param heldMax answers held back at once; each holds a connection. A caller with timeouts causes a few hundred.
 */
export function createMisbehaviour(heldMax = 5000): Misbehaviour {
  const closing = new AbortController();
  let behaviour = good;
  let endsAtMs = Number.POSITIVE_INFINITY;
  let held = 0;

  async function hold(reply: FastifyReply, durationMs: number): Promise<void> {
    const gone = new AbortController();
    const isOver = AbortSignal.any([closing.signal, gone.signal]);
    held += 1;
    try {
      const hungUp = once(reply.raw, 'close', { signal: isOver });
      await Promise.race([wait(durationMs, undefined, { signal: isOver }), hungUp]);
    } catch {
      // The sandbox is closing.
    } finally {
      held -= 1;
      gone.abort();
    }
  }

  return {
    set(next) {
      behaviour = next;
      endsAtMs = next.forMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + next.forMs;
    },
    async answer(reply, act, isSlow = false) {
      const { mode, latencyMs } = performance.now() < endsAtMs ? behaviour : good;
      const delayMs = isSlow || mode === 'hang' ? heldAnswerMs : latencyMs;
      const isFull = delayMs > 0 && held >= heldMax;
      if (mode === 'error' || isFull) return reply.code(503).send({ message: 'not now' });
      const { statusCode, body } = act();
      if (delayMs > 0) await hold(reply, delayMs);
      if (mode === 'lost') return reply.code(500).send({ message: 'done, but the result is withheld' });
      if (mode === 'garbled') return reply.type('application/json').send('{"status":"capt');
      return reply.code(statusCode).send(body);
    },
    close: () => closing.abort(),
  };
}
