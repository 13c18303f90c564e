import { z } from 'zod';
import type { LoadReport } from './load.js';

/** The observations of one drill. */
export type Evidence = {
  report: LoadReport;
  /** The output of `doorbuster audit --json`, compared with the orders answered as confirmed. */
  audit: Audit;
  /**
   * Ms from the end of the fault until purchases and queued orders succeeded, or why they did not. Null without a
   * fault.
   */
  recovery: number | string | null;
  /** Ms after load and fault until every gate agreed with the ledger, or why it did not. */
  gateAgreement: number | string;
};

/** Counts of orders, and of units for `oversold`. All are 0 if the promises were kept. Null: unknown. */
export type Verdict = {
  lost: number | null;
  duplicated: number | null;
  oversold: number | null;
  stuck: number | null;
  /** The breaches in words; empty if there were none. */
  breaches: string[];
};

export type Audit = z.infer<typeof auditSchema>;

export const auditSchema = z.object({
  ok: z.boolean(),
  invariants: z.array(z.object({ id: z.number(), title: z.string(), violations: z.number() })),
});

/** Combines the load generator's verdict and the engine's audit: a promise is kept if both say so. */
export function judge({ report, audit, recovery, gateAgreement }: Evidence): Verdict {
  const { damage, verdict } = report;
  const violationsOf = (id: number) =>
    audit.invariants.find(invariant => invariant.id === id)?.violations ?? 0;
  const worst = (counted: number | undefined, id: number) =>
    counted === undefined ? null : Math.max(counted, violationsOf(id));
  return {
    lost: worst(damage?.lost, 7),
    duplicated: worst(damage?.duplicated, 8),
    oversold: worst(damage?.oversold, 1),
    stuck: worst(damage?.stuck, 9),
    breaches: [
      ...verdict.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `load: ${name}: ${detail}`),
      ...(verdict.result === 'none' ? ['load: there was no verdict'] : []),
      ...audit.invariants
        .filter(({ violations }) => violations > 0)
        .map(({ title, violations }) => `audit: ${title}: ${violations}`),
      ...(audit.ok ? [] : ['audit: the exit code was not 0']),
      ...[recovery, gateAgreement].filter(seen => typeof seen === 'string'),
    ],
  };
}
