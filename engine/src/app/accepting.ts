import type { Logger } from 'pino';
import type { Acceptance } from '../ledger/accept.js';
import { createAcceptLate, type LateOrder, type Written } from '../ledger/accept-late.js';
import { createAcceptBatch } from '../orders/accept.js';
import { createQueuedWhileDown, type PricedOrder } from '../orders/queued-while-down.js';
import type { Config } from '../platform/config/config.js';
import { createDatabaseClock } from '../platform/database-clock.js';
import { createOutage } from '../platform/outage.js';
import type { Pool } from '../platform/postgres.js';
import type { OrderQueue } from '../queue/queue.js';
import type { Batched } from './instruments.js';

type AcceptingOptions = {
  config: Config;
  logger: Logger;
  pool: Pool;
  queue: OrderQueue;
  warn: (message: string) => (error: unknown) => void;
  batched: Batched;
};

/** How queued orders are taken in: by the ledger, and while it is down by a queue that is not in it. */
export function createAccepting({ config, logger, pool, queue, warn, batched }: AcceptingOptions) {
  const outage = createOutage({
    pool,
    onChange: isOn => logger.warn(isOn ? 'PostgreSQL does not answer' : 'PostgreSQL answers again'),
  });
  const clock = createDatabaseClock();
  const lateOrders = batched<LateOrder, Written>('accept-late', createAcceptLate(pool));
  const onError = warn('an accepted order could not be told to the queue yet');
  const accept = createAcceptBatch({ pool, queue, onError });
  const ordersMax = config.QUEUED_WHILE_DOWN_MAX;
  // Half of what a shopper waits at most, so that the other half is left for the queue.
  const patienceMs = config.DECISION_DEADLINE_MS / 2;
  const whileDown =
    config.AMQP_URL && ordersMax > 0
      ? createQueuedWhileDown({ accept, queue, outage, clock, lateOrders, ordersMax, patienceMs })
      : undefined;
  const acceptances = batched<PricedOrder, Acceptance>('accept', whileDown?.accept ?? accept);
  return { outage, clock, lateOrders, whileDown, acceptances };
}
