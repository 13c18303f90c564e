import { z } from 'zod';
import type { LoadReport } from './load.js';

/** What was seen of one drill. */
export type Evidence = {
  report: LoadReport;
  /** What `doorbuster audit --json` says, with the orders that were answered as confirmed. */
  audit: Audit;
  /** Ms from the end of the fault until purchases and queued orders went well; or why they did not. Null without a fault. */
  recovery: number | string | null;
  /** Ms, after load and fault, until every gate agreed with the ledger; or why it did not. */
  gateAgreement: number | string;
};

/** Orders, and units for `oversold`; all are 0 where the promises were kept. Null: there is no telling. */
export type Verdict = {
  lost: number | null;
  duplicated: number | null;
  oversold: number | null;
  stuck: number | null;
  /** What was broken, in words; empty where nothing was. */
  breaches: string[];
};

export type Audit = z.infer<typeof auditSchema>;

export const auditSchema = z.object({
  ok: z.boolean(),
  invariants: z.array(z.object({ id: z.number(), title: z.string(), violations: z.number() })),
});

/** The load generator's verdict and the engine's own audit: a promise is kept where both say so. */
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
      ...(audit.ok ? [] : ['audit: it did not exit with 0']),
      ...[recovery, gateAgreement].filter(seen => typeof seen === 'string'),
    ],
  };
}
