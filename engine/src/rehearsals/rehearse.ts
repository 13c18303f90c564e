import { changeSaleStatus } from '../catalog/sales.js';
import { pause } from '../platform/backoff.js';
import type { Pool } from '../platform/postgres.js';
import { type Ending, type Generator, startGenerator } from './generator.js';
import {
  type CreatedRehearsal,
  createRehearsal,
  endRehearsal,
  judgedWithinSeconds,
  type NewRehearsal,
  tellRehearsal,
} from './rehearsal.js';

export type Rehearse = {
  start(wanted: NewRehearsal): Promise<CreatedRehearsal>;
  /** Ends what this process runs, at once and without a verdict. */
  close(): Promise<void>;
};

export type RehearseOptions = {
  pool: Pool;
  program: string;
  apiKey: string;
  operatorToken: string;
  /** Where this engine listens. */
  ownUrl: () => string;
  /** Called when the sale of this product has changed. */
  onSale: (productId: number) => Promise<void>;
  onError: (error: unknown) => void;
};

const tellEveryMs = 500;

type Running = { generator: Generator; rehearsalId: number; saleId: number; productId: number };

/** Runs rehearsals: one at a time over all processes, which the database ensures. */
export function createRehearse(options: RehearseOptions): Rehearse {
  const { pool, onSale, onError } = options;
  const running = new Map<number, { generator: Generator; over: Promise<void> }>();
  let isClosing = false;

  async function watch({ generator, rehearsalId }: Running, seconds: number): Promise<Ending> {
    const over = new AbortController();
    const ended = generator.ended.finally(() => over.abort());
    const deadlineMs = performance.now() + (seconds + judgedWithinSeconds) * 1000;
    while (!over.signal.aborted) {
      if (performance.now() > deadlineMs) generator.kill();
      const wish = await tellRehearsal(pool, rehearsalId, generator.progress()).catch(onError);
      if (wish === 'stop') generator.stop();
      if (wish === 'ended') generator.kill();
      await pause(tellEveryMs, over.signal);
    }
    return isClosing ? { failure: 'The engine was stopped.' } : ended;
  }

  async function see(run: Running, seconds: number): Promise<void> {
    const ending = await watch(run, seconds);
    // End the sale first: an operator who reads that the rehearsal is over must find nothing on sale.
    await changeSaleStatus(pool, run.saleId, 'ended').catch(onError);
    await onSale(run.productId).catch(onError);
    await endRehearsal(pool, run.rehearsalId, ending).catch(onError);
    running.delete(run.rehearsalId);
  }

  return {
    async start(wanted) {
      const created = await createRehearsal(pool, wanted);
      if (created.outcome !== 'created') return created;
      const { rehearsal, productId, saleId } = created;
      await onSale(productId);
      const generator = startGenerator({ ...options, ...wanted, productId, url: options.ownUrl() });
      const { rehearsalId } = rehearsal;
      if (isClosing) generator.kill();
      running.set(rehearsalId, {
        generator,
        over: see({ generator, rehearsalId, saleId, productId }, wanted.seconds),
      });
      return created;
    },
    async close() {
      isClosing = true;
      for (const { generator } of running.values()) generator.kill();
      await Promise.all([...running.values()].map(({ over }) => over));
    },
  };
}
