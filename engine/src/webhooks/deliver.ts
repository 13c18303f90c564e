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

/** What came of a try: it arrived, it is tried again, or it was the last one. */
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

// A receiver has that many at once at most, so that one that is slow for a moment is not run over.
const inHandMax = 10;

/**
 * Sends what is due, to all endpoints that have something at the same time, so that a receiver that is slow or dead costs
 * no other its turn. What a process that dies had in hand is sent again when its lease is over.
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
        // Beyond the time limit of a try is what writing its result takes; later it is sent once more rather than never.
        const leaseMs = 2 * timeoutMs + 1000;
        claimed = await claimDeliveries(pool, { endpointId, limit: inHandMax, leaseMs });
        await settleAll(claimed.map(delivery => send(delivery, signal)));
        count += claimed.length;
      } while (claimed.length === inHandMax && !signal.aborted);
      return count;
    },
  });
}

/** As Promise.all, but all have ended when it rejects. */
async function settleAll(sendings: Promise<void>[]): Promise<void> {
  await Promise.allSettled(sendings);
  await Promise.all(sendings);
}

function createSend({ pool, seal, post, onTried, onDisabled, ...rules }: DeliverOptions) {
  return async (delivery: Claimed, signal: AbortSignal): Promise<void> => {
    const result = await tryOnce(delivery, signal);
    // Nobody's failure: whoever leads next sends it when the lease is over.
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

/** The same text for each try: a receiver may compare. */
function bodyOf({ type, at, data }: Claimed): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}

/** Any 2xx is a receipt, and nothing else is: a redirect would lead to where nobody has judged the address. */
function judge(posted: Awaited<ReturnType<Post['post']>>): Result {
  if ('error' in posted) {
    return { outcome: 'failed', status: null, error: posted.error, retryAfterMs: 0, isGone: false };
  }
  const { status, retryAfterMs = 0 } = posted;
  if (status >= 200 && status < 300) return { outcome: 'delivered', status };
  return { outcome: 'failed', status, error: `answered ${status}`, retryAfterMs, isGone: status === 410 };
}
