import { expect } from 'vitest';
import { type Acknowledged, runAudit } from '../../src/ledger/audit.js';
import type { Pool } from '../../src/platform/postgres.js';

/** The ids of the broken invariants. */
export async function brokenInvariants(
  pool: Pool,
  acknowledged: readonly Acknowledged[] = [],
): Promise<number[]> {
  const { invariants } = await runAudit(pool, { acknowledged });
  return invariants.filter(({ violations }) => violations > 0).map(({ id }) => id);
}

export async function expectCleanAudit(
  pool: Pool,
  acknowledged: readonly Acknowledged[] = [],
): Promise<void> {
  expect(await brokenInvariants(pool, acknowledged)).toEqual([]);
}
