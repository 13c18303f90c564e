import { messageOf } from '../platform/errors.js';
import { eachItem } from '../platform/jobs/each-item.js';
import type { Run } from '../platform/jobs/job.js';
import type { Pool } from '../platform/postgres.js';
import {
  type Claimed,
  claimDeliveries,
  findDueEndpoints,
  type Result,
  type RetryRules,
  settleDelivery,
} from './claim.js';
import { endpointsMax } from './endpoints.js';
import type { Post } from './post.js';
import type { Seal } from './seal.js';
import { signedHeaders } from './sign.js';

/** The outcome of a try: delivered, to be retried, or failed as the last one. */
export const tryOutcomes = ['delivered', 'retried', 'failed'] as const;
type TryOutcome = (typeof tryOutcomes)[number];

export type DeliverOptions = RetryRules & {
  pool: Pool;
  seal: Seal;
  post: Post;
  timeoutMs: number;
  onTried: (outcome: TryOutcome) => void;
  onDisabled: (endpointId: number) => void;
};

// Deliveries in flight per receiver, so that a receiver that is slow for a moment is not overloaded.
const inHandMax = 10;

/**
 * Sends due deliveries to all endpoints concurrently, so that a slow or dead receiver does not delay others. If a process
 * dies, its deliveries are sent again when their lease ends.
 */
export function createDeliver(options: DeliverOptions): Run {
  const { pool, timeoutMs } = options;
  const send = createSend(options);

  return eachItem({
    kind: 'webhook',
    keyOf: (endpointId: number) => endpointId,
    find: except => findDueEndpoints(pool, except),
    roundMax: endpointsMax,
    atOnceMax: endpointsMax,
    overlaps: true,
    async work(endpointId, signal) {
      let count = 0;
      let claimed: Claimed[];
      do {
        // The timeout of a try, plus time to write its result. After that it is sent twice rather than never.
        const leaseMs = 2 * timeoutMs + 1000;
        claimed = await claimDeliveries(pool, { endpointId, limit: inHandMax, leaseMs });
        await settleAll(claimed.map(delivery => send(delivery, signal)));
        count += claimed.length;
      } while (claimed.length === inHandMax && !signal.aborted);
      return count;
    },
  });
}

/** Like Promise.all, but all promises have settled when it rejects. */
async function settleAll(sendings: Promise<void>[]): Promise<void> {
  await Promise.allSettled(sendings);
  await Promise.all(sendings);
}

function createSend({ pool, seal, post, onTried, onDisabled, ...rules }: DeliverOptions) {
  return async (delivery: Claimed, signal: AbortSignal): Promise<void> => {
    const result = await tryOnce(delivery, signal);
    // The process stops, which is no failure of the receiver: the next leader sends it when the lease ends.
    if (result.outcome === 'failed' && signal.aborted) return;
    const isDisabled = await settleDelivery(pool, delivery, result, rules);
    onTried(outcomeOf(result, delivery.tries, rules.triesMax));
    if (isDisabled) onDisabled(delivery.endpointId);
  };

  async function tryOnce(delivery: Claimed, signal: AbortSignal): Promise<Result> {
    let headers: Record<string, string>;
    const body = bodyOf(delivery);
    try {
      headers = headersOf(delivery, body);
    } catch (error) {
      return { outcome: 'failed', status: null, error: messageOf(error), retryAfterMs: 0, isGone: false };
    }
    return judge(await post.post(delivery.url, headers, body, signal));
  }

  function headersOf({ eventId, secret, formerSecret }: Claimed, body: string): Record<string, string> {
    const secrets = [secret, formerSecret].flatMap(sealed => (sealed === null ? [] : [seal.open(sealed)]));
    const timestamp = Math.floor(Date.now() / 1000);
    return { ...signedHeaders({ id: eventId, timestamp, body }, secrets), ...fixedHeaders };
  }
}

function outcomeOf({ outcome }: Result, tries: number, triesMax: number): TryOutcome {
  return outcome === 'failed' && tries < triesMax ? 'retried' : outcome;
}

const fixedHeaders = { 'content-type': 'application/json', 'user-agent': 'doorbuster-webhooks/1' };

/** The same text for each try, because a receiver may compare them. */
function bodyOf({ type, at, data }: Claimed): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}

/** Only a 2xx counts as a receipt: a redirect could lead to an address that was not checked. */
function judge(posted: Awaited<ReturnType<Post['post']>>): Result {
  if ('error' in posted) {
    return { outcome: 'failed', status: null, error: posted.error, retryAfterMs: 0, isGone: false };
  }
  const { status, retryAfterMs = 0 } = posted;
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  return { outcome: 'failed', status, error: `answered ${status}`, retryAfterMs, isGone: status === 410 };
}
