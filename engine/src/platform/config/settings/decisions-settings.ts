import { integer } from '../fields.js';

/** How purchases are gathered and decided, and what is stored about them. */
export const decisionsSettings = {
  // A shopper waits about two seconds for an answer; PostgreSQL decides a full batch in under 50 ms.
  DECISION_DEADLINE_MS: integer(2000, 1, 60_000).describe(
    'a purchase that is not decided within this time is refused with 503',
  ),
  // At 20,000 decisions a second, a queue of 20,000 is one second of work. Further purchases would miss their deadline.
  DECISION_QUEUE_MAX: integer(20_000, 1, 1_000_000).describe(
    'purchases that may wait in one process; at most nine tenths of them for one sale',
  ),
  // The rate is flat from 200 to 1,000 orders a batch; latency is not. See docs/measurements/.
  DECISION_BATCH_MAX: integer(500, 1, 5000).describe('purchases in one transaction'),
  // By default a slow ledger never fails an accepted order, however long it takes.
  QUEUED_ORDER_WAIT_MAX_MINUTES: integer(0, 0, 10_080).describe(
    'minutes that an accepted order may wait to be decided; after that it fails and becomes a dead letter. 0 means no limit',
  ),
  // About 130 bytes an attempt with short names: 26 MB, or seven seconds of refusals at 30,000 a second.
  ATTEMPTS_BUFFER_MAX: integer(200_000, 1, 10_000_000).describe(
    'refused attempts that may wait in memory to be written; further ones are dropped and counted',
  ),
  // A day of a busy sale produces gigabytes of attempts.
  ATTEMPTS_RETENTION_DAYS: integer(90, 0, 36_500).describe(
    'days after which attempts are deleted, a whole day (UTC) at a time; 0 keeps them forever',
  ),
};
