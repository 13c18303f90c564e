import type { DecidedBatch } from '../ledger/decide.js';
import { classifyFailure, hasTimedOut } from '../ledger/failures.js';
import type { Stock } from '../ledger/stock.js';
import { backoffMs, sleep } from '../platform/backoff.js';
import { answerAll, type Waiter as BatchWaiter } from '../platform/batching/lanes.js';
import { type Hook, withHooks } from '../platform/hooks.js';
import type { StuckSales } from './stuck-sales.js';
import type { Undecided } from './undecided.js';

/** Requests of one sale that share a transaction. */
export type Batch<Request> = { saleId: number; requests: readonly Request[] };

export type SendBatchOptions<Request, Outcome> = {
  /** One transaction of the ledger; see Decide, Accept and Settle. It may itself leave some requests undecided. */
  decide: (saleId: number, requests: readonly Request[]) => Promise<DecidedBatch<Outcome | Undecided>>;
  /** Called for each try. */
  hooks?: readonly Hook<Batch<Request>, DecidedBatch<Outcome | Undecided>>[];
  /** Called after each COMMIT that touched the stock, before the shoppers are answered. */
  onStock: (stock: Stock) => void;
  /** Called when a try ends, before any request is answered: without an error if it was committed. */
  onEnd: (error?: unknown) => void;
  /** Called for a request that PostgreSQL refuses even alone in a batch. */
  onPoison: (request: Request, error: unknown) => void;
  /** Called for a failure that no request caused and that an immediate retry would only repeat. */
  onBroken: (error: unknown) => void;
  /** Shared by all queues that use the same connections. */
  stuckSales: StuckSales;
};

type Waiter<Request, Outcome> = BatchWaiter<Request, Outcome | Undecided>;

/** Sends one batch to the ledger and answers all its waiters, whatever fails on the way. */
export type SendBatch<Request, Outcome> = (
  saleId: number,
  batch: readonly Waiter<Request, Outcome>[],
) => Promise<void>;

// With full jitter below 10, 20, 40 ... 200 ms this is about a second of tries; the deadline usually ends them first.
const triesMax = 15;
// A stuck sale requests its turn about ten times a second.
const turnEveryMs = 200;
// A broken ledger (a missing function, a missing privilege) gets four statements a second per sale, not a thousand.
const brokenPauseMs = 250;

export function createSendBatch<Request, Outcome>({
  decide,
  hooks = [],
  onStock,
  onEnd,
  onPoison,
  onBroken,
  stuckSales,
}: SendBatchOptions<Request, Outcome>): SendBatch<Request, Outcome> {
  type Waiters = readonly Waiter<Request, Outcome>[];

  async function tryOnce(saleId: number, waiters: Waiters, end: (hasTimedOut: boolean) => void) {
    const requests = waiters.map(({ request }) => request);
    let decided: DecidedBatch<Outcome | Undecided>;
    try {
      decided = await withHooks(hooks, { saleId, requests }, () => decide(saleId, requests));
    } catch (error) {
      end(hasTimedOut(error));
      onEnd(error);
      return { error, kind: classifyFailure(error) };
    }
    // From here on nothing may count as a failure of the batch, which would be sent again.
    end(false);
    onEnd();
    if (decided.stock) onStock(decided.stock);
    for (const [position, decision] of decided.decisions.entries()) waiters[position]?.answer(decision);
    return undefined;
  }

  /** @param wasSent an earlier try may have been committed, so no answer may say that nothing was taken. */
  async function sendBatch(saleId: number, batch: Waiters, wasSent: boolean): Promise<void> {
    let waiters = batch;
    let mayBeCommitted = wasSent;
    for (let tries = 0; ; ) {
      waiters = refuseLate(waiters, mayBeCommitted);
      if (waiters.length === 0) return;
      const end = stuckSales.begin(saleId);
      if (!end) {
        await sleep(backoffMs(0, turnEveryMs, turnEveryMs));
        continue;
      }
      const failure = await tryOnce(saleId, waiters, end);
      if (!failure) return;
      if (failure.kind === 'bad-row') return isolatePoison(saleId, waiters, mayBeCommitted, failure.error);
      if (failure.kind === 'broken') return giveUp(waiters, mayBeCommitted, failure.error);
      // A retry with the same ids shows what was committed: those requests come back as replayed.
      mayBeCommitted ||= failure.kind === 'unknown';
      tries += 1;
      if (tries === triesMax) return answerAll(waiters, undecided(mayBeCommitted));
      await sleep(backoffMs(tries - 1, 10, 200));
    }
  }

  // A batch fails as a whole, so it is halved until the request that PostgreSQL refuses is alone.
  async function isolatePoison(saleId: number, waiters: Waiters, wasSent: boolean, error: unknown) {
    const [first] = waiters;
    if (first && waiters.length === 1) {
      onPoison(first.request, error);
      const poisoned: Undecided = { outcome: wasSent ? 'unknown' : 'undecided' };
      return answerAll(waiters, poisoned);
    }
    const middle = Math.ceil(waiters.length / 2);
    await sendBatch(saleId, waiters.slice(0, middle), wasSent);
    await sendBatch(saleId, waiters.slice(middle), wasSent);
  }

  // Halving the batch would send twice as many statements with the same failure. The next batch of the sale tries again
  // after the pause.
  async function giveUp(waiters: Waiters, wasSent: boolean, error: unknown): Promise<void> {
    onBroken(error);
    answerAll(waiters, undecided(wasSent));
    await sleep(brokenPauseMs);
  }

  return (saleId, batch) => sendBatch(saleId, batch, false);
}

function refuseLate<Request, Outcome>(
  waiters: readonly Waiter<Request, Outcome>[],
  mayBeCommitted: boolean,
): readonly Waiter<Request, Outcome>[] {
  const nowMs = performance.now();
  const late = waiters.filter(({ deadlineAtMs }) => deadlineAtMs <= nowMs);
  if (late.length === 0) return waiters;
  answerAll(late, undecided(mayBeCommitted));
  return waiters.filter(({ deadlineAtMs }) => deadlineAtMs > nowMs);
}

function undecided(mayBeCommitted: boolean): Undecided {
  return { outcome: mayBeCommitted ? 'unknown' : 'overloaded' };
}
