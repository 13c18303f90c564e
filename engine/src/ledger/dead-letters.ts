import { type Client, inTransaction, type Pool, type Queryable } from '../platform/postgres.js';
import type { OrderStatus } from './order-record.js';
import { createSettle, type Settlement } from './settle.js';

export const deadLetterSources = ['queue', 'payment', 'refund'] as const;
type DeadLetterSource = (typeof deadLetterSources)[number];

export const deadLetterStatuses = ['NEW', 'COMPENSATED', 'REPLAYED', 'DISCARDED'] as const;
export type DeadLetterStatus = (typeof deadLetterStatuses)[number];

/** Work that failed for good: the reason, the number of tries, and the state of its order. */
export type DeadLetter = {
  deadLetterId: number;
  saleId: number;
  orderId: string;
  shopperId: string;
  quantity: number;
  source: DeadLetterSource;
  reason: string;
  error: string;
  deliveries: number;
  status: DeadLetterStatus;
  orderStatus: OrderStatus;
  createdAt: Date;
  resolvedAt: Date | null;
};

export type NewDeadLetter = Pick<
  DeadLetter,
  'saleId' | 'orderId' | 'source' | 'reason' | 'error' | 'deliveries'
>;

const errorCharactersMax = 2000;

/**
 * Stores a dead letter. The same failure of the same order, reported again while the first letter is open, adds none.
 *
 * @returns false if the ledger has no such order; nothing is stored then.
 */
export async function addDeadLetter(db: Queryable, letter: NewDeadLetter): Promise<boolean> {
  const { saleId, orderId, source, reason, error, deliveries } = letter;
  const { rows } = await db.query<{ isKnown: boolean }>({
    name: 'add-dead-letter',
    text: `with known as (
             select sale_id, order_id from orders where sale_id = $1 and order_id = $2
           ), added as (
             insert into dead_letters (sale_id, order_id, source, reason, error, deliveries)
             select sale_id, order_id, $3, $4, $5, $6 from known
             on conflict (order_id, source) where status in ('NEW', 'COMPENSATED') do nothing
           )
           select exists (select from known) as "isKnown"`,
    values: [saleId, orderId, source, reason, error.slice(0, errorCharactersMax), deliveries],
  });
  return rows[0]?.isKnown ?? false;
}

/**
 * Letters that are not compensated yet, without those in `except`, at most `limit`. The oldest of each sale come first, so
 * that a sale whose letters fail does not hold up others. Index: dead_letters_by_age, which has only open letters.
 */
export async function findNewLetters(
  db: Queryable,
  except: readonly number[],
  limit: number,
): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>({
    name: 'find-new-letters',
    text: `select dead_letter_id as id from dead_letters
           where status = 'NEW' and dead_letter_id <> all ($1)
           order by row_number() over (partition by sale_id order by dead_letter_id), dead_letter_id limit $2`,
    values: [except, limit],
  });
  return rows.map(({ id }) => id);
}

/**
 * Compensates a letter: its order ends as FAILED and returns its units and allowance, and the letter then waits for an
 * operator. One transaction, so that it happens once or not at all.
 *
 * @returns false if another compensator is handling the letter or has handled it.
 */
export async function compensateLetter(pool: Pool, deadLetterId: number): Promise<boolean> {
  return inTransaction(pool, async tx => {
    // If another session keeps one sale locked, the letters of other sales must not wait.
    await tx.query(`set local lock_timeout = '1s'`);
    const { rows } = await tx.query<DeadLetter>(
      `select ${columns} from ${tables} where d.dead_letter_id = $1 and d.status = 'NEW' for update of d skip locked`,
      [deadLetterId],
    );
    const [letter] = rows;
    if (!letter) return false;
    const { saleId, orderId, reason, source } = letter;
    // A refund stays due, whatever became of the order.
    if (source === 'refund') {
      await moveLetter(tx, letter, 'COMPENSATED');
      return true;
    }
    const { decisions } = await createSettle(tx)(saleId, [{ event: 'fail', orderId, reason }]);
    // An order that has ended in another way, for example by a late payment, needs no compensation.
    await moveLetter(tx, letter, decisions[0]?.outcome === 'failed' ? 'COMPENSATED' : 'DISCARDED');
    return true;
  });
}

export type Resolution =
  | { outcome: 'replayed' | 'discarded' | 'already-resolved'; letter: DeadLetter }
  /** Its order cannot go back into the queue; `why` is the outcome of settle(). */
  | { outcome: 'not-replayable'; letter: DeadLetter; why: Settlement['outcome'] }
  | { outcome: 'not-compensated' | 'dead-letter-not-found' };

/**
 * Retries the work of a letter: a queued order goes back into the queue, a refund becomes due again. A letter that is
 * already resolved is not changed, so a second replay has no effect.
 *
 * @param isDryRun reports what would happen and changes nothing.
 */
export async function replayDeadLetter(
  pool: Pool,
  deadLetterId: number,
  isDryRun: boolean,
): Promise<Resolution> {
  return resolve(pool, deadLetterId, isDryRun, async (tx, letter) => {
    if (letter.source === 'refund') {
      await tx.query(
        `update payments set due_at = clock_timestamp(), tries = 0 where order_id = $1 and status = 'REFUND_DUE'`,
        [letter.orderId],
      );
    } else {
      const event = { event: 'requeue', orderId: letter.orderId } as const;
      const { decisions } = await createSettle(tx)(letter.saleId, [event]);
      const why = decisions[0]?.outcome ?? 'order-not-found';
      if (why !== 'queued') return { outcome: 'not-replayable', letter, why };
    }
    return { outcome: 'replayed', letter: await moveLetter(tx, letter, 'REPLAYED') };
  });
}

/** Closes a letter: its order stays as the compensator left it. */
export async function discardDeadLetter(
  pool: Pool,
  deadLetterId: number,
  isDryRun: boolean,
): Promise<Resolution> {
  return resolve(pool, deadLetterId, isDryRun, async (tx, letter) => ({
    outcome: 'discarded',
    letter: await moveLetter(tx, letter, 'DISCARDED'),
  }));
}

async function resolve(
  pool: Pool,
  deadLetterId: number,
  isDryRun: boolean,
  work: (tx: Client, letter: DeadLetter) => Promise<Resolution>,
): Promise<Resolution> {
  return inTransaction(pool, async tx => {
    const { rows } = await tx.query<DeadLetter>(
      `select ${columns} from ${tables} where d.dead_letter_id = $1 for update of d`,
      [deadLetterId],
    );
    const [letter] = rows;
    if (!letter) return { outcome: 'dead-letter-not-found' };
    if (letter.status === 'NEW') return { outcome: 'not-compensated' };
    if (letter.status !== 'COMPENSATED') return { outcome: 'already-resolved', letter };
    await tx.query('savepoint before_work');
    const resolution = await work(tx, letter);
    // A dry run does all the work and is then rolled back; so is the work before a refusal.
    if (isDryRun || resolution.outcome === 'not-replayable')
      await tx.query('rollback to savepoint before_work');
    return resolution;
  });
}

async function moveLetter(tx: Client, letter: DeadLetter, to: DeadLetterStatus): Promise<DeadLetter> {
  const { rowCount } = await tx.query(
    `update dead_letters
     set status = $2, resolved_at = case when $2 in ('REPLAYED', 'DISCARDED') then clock_timestamp() end
     where dead_letter_id = $1 and status = $3`,
    [letter.deadLetterId, to, letter.status],
  );
  if (rowCount !== 1) throw new Error(`dead letter ${letter.deadLetterId} changed under its lock`);
  return (await readDeadLetter(tx, letter.deadLetterId)) ?? letter;
}

export async function readDeadLetter(db: Queryable, deadLetterId: number): Promise<DeadLetter | undefined> {
  const { rows } = await db.query<DeadLetter>(
    `select ${columns} from ${tables} where d.dead_letter_id = $1`,
    [deadLetterId],
  );
  return rows[0];
}

/** Letters, newest first, at most `limit`, with ids below `before`; of one status if given. */
export async function listDeadLetters(
  db: Queryable,
  filter: { status: DeadLetterStatus | undefined; before: number | undefined; limit: number },
): Promise<DeadLetter[]> {
  const { rows } = await db.query<DeadLetter>(
    `select ${columns} from ${tables}
     where ($1::text is null or d.status = $1) and ($2::bigint is null or d.dead_letter_id < $2)
     order by d.dead_letter_id desc limit $3`,
    [filter.status ?? null, filter.before ?? null, filter.limit],
  );
  return rows;
}

/** Counts letters that wait for the compensator or an operator. Index: dead_letters_by_age, which has only these. */
export async function countOpenDeadLetters(db: Queryable): Promise<{ NEW: number; COMPENSATED: number }> {
  const { rows } = await db.query<{ NEW: number; COMPENSATED: number }>(
    `select count(*) filter (where status = 'NEW') as "NEW",
            count(*) filter (where status = 'COMPENSATED') as "COMPENSATED"
     from dead_letters where status in ('NEW', 'COMPENSATED')`,
  );
  return rows[0] ?? { NEW: 0, COMPENSATED: 0 };
}

const tables = 'dead_letters d join orders o on o.sale_id = d.sale_id and o.order_id = d.order_id';
const columns = `d.dead_letter_id as "deadLetterId", d.sale_id as "saleId", d.order_id as "orderId",
  o.shopper_id as "shopperId", o.quantity, d.source, d.reason, d.error, d.deliveries, d.status,
  o.status as "orderStatus", d.created_at as "createdAt", d.resolved_at as "resolvedAt"`;
