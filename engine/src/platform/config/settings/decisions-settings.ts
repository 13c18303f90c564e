import { integer } from '../fields.js';

/** How purchases are gathered and decided, and what is kept of them. */
export const decisionsSettings = {
  // Two seconds is what a shopper still takes for an answer; PostgreSQL decides a full batch in under 50 ms.
  DECISION_DEADLINE_MS: integer(2000, 1, 60_000).describe(
    'a purchase that is not decided by then is refused with 503',
  ),
  // At 20,000 decisions a second a queue of 20,000 is one second of work: what does not fit would miss its deadline.
  DECISION_QUEUE_MAX: integer(20_000, 1, 1_000_000).describe(
    'purchases that wait in one process, nine tenths of them for one sale at most',
  ),
  // The rate is flat from 200 to 1,000 orders a batch; latency is not. See docs/measurements/.
  DECISION_BATCH_MAX: integer(500, 1, 5000).describe('purchases in one transaction'),
  // A slow ledger is no reason to fail an order that was accepted, however long it takes.
  QUEUED_ORDER_WAIT_MAX_MINUTES: integer(0, 0, 10_080).describe(
    'minutes that an accepted order may wait to be decided; after that it fails and becomes a dead letter. 0: it waits',
  ),
  // Some 130 bytes an attempt with short names: 26 MB, and seven seconds of refusals at 30,000 a second.
  ATTEMPTS_BUFFER_MAX: integer(200_000, 1, 10_000_000).describe(
    'refused attempts in memory, waiting to be written',
  ),
  // A day of a busy sale is gigabytes of attempts; 0 keeps them for ever.
  ATTEMPTS_RETENTION_DAYS: integer(90, 0, 36_500).describe(
    'days after which attempts are dropped, a whole day (UTC) at a time; 0 keeps them for ever',
  ),
};
