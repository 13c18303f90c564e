import { z } from 'zod';
import type { Refusals } from '../../../admission/refusals.js';
import type { Shedding } from '../../../admission/shedding.js';
import { withExample } from '../../description/with-example.js';
import type { Identity } from '../../identity/identity.js';
import type { App } from '../../server/http-server.js';

export type ProtectionParts = {
  identity: Identity;
  inFlight: () => number;
  shedding: Shedding;
  refusals: Refusals;
  decisions: { oldestWaitMs(): number };
  settlements: { oldestWaitMs(): number };
};

const count = z.int();
const schema = {
  operationId: 'getProtection',
  summary: 'Get the load of this process, and what its layers of protection have refused',
  callers: 'operators',
  tags: ['operator'],
  response: {
    200: withExample(
      z.object({
        inFlight: count.meta({ description: 'Requests in progress' }),
        shedding: z.object({
          level: z
            .enum(['none', 'browsing', 'buying', 'finishing'])
            .meta({ description: 'Requests up to this level are refused' }),
          lagMs: z.number().meta({ description: 'How late the event loop runs, smoothed, in milliseconds' }),
          waitMs: z.number().meta({
            description: 'How long the oldest purchase has waited for its decision, in milliseconds',
          }),
        }),
        refused: z
          .object({
            connections: count,
            connectionsPerIp: count,
            inFlight: count,
            ip: count,
            shedBrowsing: count,
            shedBuying: count,
            shedFinishing: count,
            shopper: count,
            ipPurchases: count,
            sale: count,
            abandoned: count,
          })
          .meta({ description: 'Requests refused since the process started, by layer' }),
      }),
      {
        inFlight: 1,
        shedding: { level: 'none', lagMs: 1, waitMs: 0 },
        refused: {
          connections: 0,
          connectionsPerIp: 0,
          inFlight: 0,
          ip: 0,
          shedBrowsing: 0,
          shedBuying: 0,
          shedFinishing: 0,
          shopper: 0,
          ipPurchases: 0,
          sale: 0,
          abandoned: 0,
        },
      },
    ),
  },
} as const;

/** GET /api/admin/protection: the state of the layers of protection, for operators. */
export function registerProtection(
  app: App,
  { identity, inFlight, shedding, refusals, decisions, settlements }: ProtectionParts,
): void {
  app.get('/api/admin/protection', { schema }, async request => {
    await identity.requireOperator(request);
    const { level, lagMs } = shedding.state();
    const waitMs = Math.max(decisions.oldestWaitMs(), settlements.oldestWaitMs());
    return {
      inFlight: inFlight(),
      shedding: { level, lagMs: Math.round(lagMs), waitMs: Math.round(waitMs) },
      refused: { ...refusals },
    };
  });
}
