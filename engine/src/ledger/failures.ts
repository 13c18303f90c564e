import { InjectedFault } from '../platform/faults.js';
import { ConnectError, constraintOf, sqlStateOf } from '../platform/postgres.js';

/**
 * What a failed statement of the ledger means for its batch.
 *
 * - `transient`: nothing was written; the same batch may pass when sent again.
 * - `unknown`: the connection was lost or fell silent; the batch may have been committed. Sent again, it tells.
 * - `permanent`: nothing was written, and sending the same batch again will fail again.
 */
export type Failure = 'transient' | 'unknown' | 'permanent';

export function classifyFailure(error: unknown): Failure {
  if (error instanceof ConnectError || error instanceof InjectedFault) return 'transient';
  const state = sqlStateOf(error);
  if (state === undefined) return 'unknown';
  // Two transactions met on one order id: the next try finds the order and says so.
  if (oneOrderPerId.has(constraintOf(error) ?? '')) return 'transient';
  if (transientStates.has(state) || transientClasses.has(state.slice(0, 2))) return 'transient';
  // 57P0x ends the session; whether the statement's COMMIT came first cannot be told from here.
  return state.startsWith('57P') || state.startsWith('08') ? 'unknown' : 'permanent';
}

// A key used at the same moment for two products, or for a purchase and a queued order, which takes no lock of its sale.
const oneOrderPerId = new Set(['orders_one_per_intent', 'orders_pkey']);

const transientStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
  '25006', // read_only_sql_transaction: a standby that is being promoted
]);
const transientClasses = new Set(['53']); // insufficient resources: connections, memory, disk
