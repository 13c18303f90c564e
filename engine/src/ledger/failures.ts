import { InjectedFault } from '../faults/faults.js';
import { messageOf } from '../platform/errors.js';
import { ConnectError, constraintOf, sqlStateOf } from '../platform/postgres.js';

/**
 * What a failed statement of the ledger means for its batch.
 *
 * - `transient`: nothing was written; the same batch may pass on a retry.
 * - `unknown`: the connection was lost or fell silent, so the batch may have been committed. A retry shows it.
 * - `bad-row`: nothing was written, and one of its rows is the cause: the others pass without it.
 * - `broken`: nothing was written, and the cause is not a row but the statement itself or the server: a missing function,
 *   a missing privilege, a broken disk. Every batch fails until an operator repairs it.
 */
export type Failure = 'transient' | 'unknown' | 'bad-row' | 'broken';

export function classifyFailure(error: unknown): Failure {
  if (error instanceof ConnectError || error instanceof InjectedFault) return 'transient';
  const state = sqlStateOf(error);
  if (state === undefined) return 'unknown';
  // Two transactions met on one order id: the retry finds the order and reports it.
  if (oneOrderPerId.has(constraintOf(error) ?? '')) return 'transient';
  if (transientStates.has(state) || transientClasses.has(state.slice(0, 2))) return 'transient';
  // 57P0x ends the session; the client cannot know whether the statement's COMMIT came first.
  if (state.startsWith('57P') || state.startsWith('08')) return 'unknown';
  return state === noSuchSale || badRowClasses.has(state.slice(0, 2)) ? 'bad-row' : 'broken';
}

/** Whether a statement ran into a timeout, mostly because another transaction held its lock. */
export function hasTimedOut(error: unknown): boolean {
  return timeoutStates.has(sqlStateOf(error) ?? '') || messageOf(error) === 'Query read timeout';
}

// A key that is used at the same moment for two products, or for a purchase and a queued order, which takes no lock of its
// sale.
const oneOrderPerId = new Set(['orders_one_per_intent', 'orders_pkey']);

const transientStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
  '25006', // read_only_sql_transaction: a standby that is being promoted
]);
const transientClasses = new Set(['53']); // insufficient resources: connections, memory, disk
const badRowClasses = new Set(['22', '23']); // data exception, integrity constraint violation
// no_data_found of `select into strict`: a message names a sale that does not exist.
const noSuchSale = 'P0002';
const timeoutStates = new Set(['55P03', '57014']);
