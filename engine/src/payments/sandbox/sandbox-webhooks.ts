import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backoffMs } from '../../platform/backoff.js';
import { messageOf } from '../../platform/errors.js';
import { sign, signatureHeader } from './signature.js';
import type { SandboxEvent } from './wire.js';

export type WebhookSender = {
  /** Never waits: events that do not fit in the queue are dropped, since real providers' webhooks can get lost too. */
  send(event: SandboxEvent): void;
  /** Events that wait or are being sent. */
  pending(): number;
  dropped(): number;
  close(): Promise<void>;
};

export type WebhookOptions = {
  url: string;
  secret: string;
  logger: Logger;
  /** Events that may wait; one takes about 300 bytes. */
  queueMax?: number;
  triesMax?: number;
  retryBaseMs?: number;
};

// A few at once, so that one slow answer does not hold up all others.
const sendersCount = 8;
const answerTimeoutMs = 5000;
const retryMaxMs = 5000;

/** Delivers events at least once while the receiver is up, in no guaranteed order. */
export function createWebhookSender({
  url,
  secret,
  logger,
  queueMax = 10_000,
  // With the backoff below, these tries take about ten seconds.
  triesMax = 8,
  retryBaseMs = 100,
}: WebhookOptions): WebhookSender {
  const queue: SandboxEvent[] = [];
  const closing = new AbortController();
  const senders = new Set<Promise<void>>();
  let dropped = 0;

  async function sendQueued(): Promise<void> {
    for (let event = queue.shift(); event && !closing.signal.aborted; event = queue.shift()) {
      await deliver(event);
    }
  }

  async function deliver(event: SandboxEvent): Promise<void> {
    const body = JSON.stringify(event);
    for (let tries = 1; ; tries++) {
      const failure = await post(body);
      if (failure === undefined || closing.signal.aborted) return;
      if (tries === triesMax) {
        logger.warn({ event: event.id, reason: failure }, 'sandbox: gave up on a webhook');
        return;
      }
      await wait(backoffMs(tries, retryBaseMs, retryMaxMs), undefined, closing).catch(() => {});
    }
  }

  async function post(body: string): Promise<string | undefined> {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        // Each try has its own signature, because a signature expires.
        headers: {
          'content-type': 'application/json',
          [signatureHeader]: sign(body, secret, Math.floor(Date.now() / 1000)),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await answer.body?.cancel();
      return answer.ok ? undefined : `answered ${answer.status}`;
    } catch (error) {
      return messageOf(error);
    }
  }

  function startSender(): void {
    const sender = sendQueued().finally(() => senders.delete(sender));
    senders.add(sender);
  }

  return {
    send(event) {
      if (queue.length >= queueMax) {
        if (dropped++ === 0) logger.warn({ queueMax }, 'sandbox: webhooks are dropped, the queue is full');
        return;
      }
      queue.push(event);
      if (senders.size < sendersCount) startSender();
    },
    pending: () => queue.length + senders.size,
    dropped: () => dropped,
    async close() {
      closing.abort();
      await Promise.all(senders);
    },
  };
}
