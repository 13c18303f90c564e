import { z } from 'zod';
import type { Refusals } from '../../../admission/refusals.js';
import type { Shedding } from '../../../admission/shedding.js';
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
  summary: 'The layers of protection of the process that answers: what is in work, and what each has refused',
  tags: ['operator'],
  response: {
    200: z.object({
      inFlight: count.meta({ description: 'Requests in work' }),
      shedding: z.object({
        level: z
          .enum(['none', 'browsing', 'buying', 'finishing'])
          .meta({ description: 'Refused up to this' }),
        lagMs: z.number().meta({ description: 'How late the event loop is, smoothed' }),
        waitMs: z.number().meta({ description: 'Age of the oldest waiting decision, of whichever sale' }),
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
        .meta({ description: 'Since the process began, by layer' }),
    }),
  },
};

/** GET /api/admin/protection: what the layers do, for operators. */
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
