import { endsWithin } from '../platform/backoff.js';
import type { Queryable } from '../platform/postgres.js';
import type { GuessCount } from './lock-out.js';
import { keptAfterEnd } from './sessions.js';

/** Wrong secrets as all processes count them. Never throws: without the database each process has its own count. */
export type Guesses = {
  /** What is counted against these; nothing where the database does not say so in time. */
  read(names: readonly string[]): Promise<readonly GuessCount[]>;
  /** Counts a wrong secret against each of these. */
  add(names: readonly string[]): Promise<void>;
  forget(name: string): Promise<void>;
  /** Whether this operator has signed in from this address within the last 30 days; no, where that is not told in time. */
  hasSignedIn(operator: string, ip: string): Promise<boolean>;
};

// Whoever presents a secret waits for this. Slower than that, a database is in trouble, and operators are needed then.
const patienceMs = 1000;
// As in the memory of a process, and for the same reason.
const namesMax = 10_000;

/** @param lockSeconds after which quiet time wrong secrets are forgotten. */
export function createGuesses(db: Queryable, lockSeconds: number): Guesses {
  return {
    async read(names) {
      let counts: readonly GuessCount[] = [];
      await inTime(readCounts(db, names, lockSeconds).then(rows => (counts = rows)));
      return counts;
    },
    add: names => inTime(addGuesses(db, names, lockSeconds)),
    forget: name => inTime(db.query('delete from operator_guesses where name = $1', [name])),
    async hasSignedIn(operator, ip) {
      let has = false;
      await inTime(hasSession(db, operator, ip).then(found => (has = found)));
      return has;
    },
  };
}

// A statement that comes too late is not taken back: a guess that is counted late is counted.
async function inTime(work: Promise<unknown>): Promise<void> {
  await endsWithin(
    work.catch(() => {}),
    patienceMs,
  );
}

// Index: operator_guesses_pkey.
async function readCounts(
  db: Queryable,
  names: readonly string[],
  lockSeconds: number,
): Promise<readonly GuessCount[]> {
  const { rows } = await db.query<GuessCount>({
    name: 'read-operator-guesses',
    text: `select name, failures, extract(epoch from clock_timestamp() - last_at)::float8 * 1000 as "ageMs"
           from operator_guesses
           where name = any ($1::text[]) and last_at > clock_timestamp() - make_interval(secs => $2)`,
    values: [names, lockSeconds],
  });
  return rows;
}

// Rows stay for as long after their end as this looks back. Index: operator_sessions_by_origin.
async function hasSession(db: Queryable, operator: string, ip: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from operator_sessions
     where operator = $1 and ip = $2 and created_at > clock_timestamp() - $3::interval limit 1`,
    [operator, ip, keptAfterEnd],
  );
  return rowCount === 1;
}

// In one order of the names everywhere, so that two processes wait in line. Indexes: operator_guesses_pkey,
// operator_guesses_by_age.
async function addGuesses(db: Queryable, names: readonly string[], lockSeconds: number): Promise<void> {
  await db.query({
    name: 'add-operator-guesses',
    text: `insert into operator_guesses as known (name, failures, last_at)
           select name, 1, clock_timestamp() from unnest($1::text[]) as guessed (name) order by name
           on conflict (name) do update
           set failures = case when known.last_at > excluded.last_at - make_interval(secs => $2)
                               then known.failures + 1 else 1 end,
               last_at = excluded.last_at`,
    values: [names, lockSeconds],
  });
  await pruneGuesses(db, lockSeconds);
}

/** Forgets guesses that count no more, and the oldest beyond `namesMax`. @returns how many. */
export async function pruneGuesses(db: Queryable, lockSeconds: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'prune-operator-guesses',
    text: `delete from operator_guesses
           where last_at < greatest(
             clock_timestamp() - make_interval(secs => $1),
             (select last_at from operator_guesses order by last_at desc offset $2 limit 1))`,
    values: [lockSeconds, namesMax - 1],
  });
  return rowCount ?? 0;
}
