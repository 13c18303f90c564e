import { z } from 'zod';
import type { Gate } from '../../../admission/gate/gate.js';
import { type AuditReport, runAudit } from '../../../ledger/audit.js';
import type { Pool } from '../../../platform/postgres.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type AdminAuditParts = {
  identity: Identity;
  pool: Pool;
  gate: Pick<Gate, 'countDisagreements'>;
  /** Called with the report of each audit that was requested. */
  onAudit: (report: AuditReport) => void;
};

const auditSchema = z.object({
  ok: z.boolean(),
  invariants: z.array(z.object({ id: z.int(), title: z.string(), violations: z.int() })),
});

const audit = {
  operationId: 'audit',
  summary: 'Check every invariant of the ledger now',
  callers: 'operators',
  tags: ['operator'],
  response: {
    200: withExample(auditSchema, {
      ok: true,
      invariants: [
        {
          id: 1,
          title: 'Conservation: allocation = available + reserved + sold, none negative',
          violations: 0,
        },
      ],
    }),
  },
} as const;

/** Proves the invariants on demand. */
export function registerAudit(app: App, { identity, pool, gate, onAudit }: AdminAuditParts): void {
  const { countDisagreements } = gate;
  app.get(
    '/api/admin/audit',
    { schema: audit, onRequest: identity.requireOperator },
    async (): Promise<AuditReport> => {
      const report = await runAudit(pool, { countDisagreements });
      onAudit(report);
      return report;
    },
  );
}
