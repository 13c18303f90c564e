import { z } from 'zod';
import type { Shedding, Urgency } from '../../src/admission/shedding.js';
import type { Decide } from '../../src/ledger/decide.js';
import type { TestApi } from './api.js';
import { until } from './condition.js';

const viewSchema = z.object({
  inFlight: z.number(),
  shedding: z.object({ level: z.string(), lagMs: z.number(), waitMs: z.number() }),
  refused: z.record(z.string(), z.number()),
});

export type ProtectionView = z.infer<typeof viewSchema>;

/** What the layers of protection report; the process answers this however overloaded it is. */
export async function readProtection(api: TestApi): Promise<ProtectionView> {
  return viewSchema.parse((await api.asOperator('GET', '/api/admin/protection')).body);
}

/** Waits until they report the wanted state. */
export function untilProtection(
  api: TestApi,
  what: string,
  holds: (view: ProtectionView) => boolean,
): Promise<ProtectionView> {
  const look = async () => {
    const view = await readProtection(api);
    return holds(view) ? view : undefined;
  };
  return until(what, look, 20_000);
}

/** Decisions that hang until they are released, and fail then. */
export function createStuckDecide(): { decide: Decide; letGo: () => void } {
  let letGo = () => {};
  const isOver = new Promise<void>(resolve => {
    letGo = resolve;
  });
  const serialization = Object.assign(new Error('serialization failure'), { code: '40001' });
  return { decide: () => isOver.then(() => Promise.reject(serialization)), letGo: () => letGo() };
}

/** Reports that the process is this far behind. */
export function shedAt(level: 'none' | Urgency): Shedding {
  const levels = ['none', 'browsing', 'buying', 'finishing'];
  const refuses = (urgency: Urgency) => levels.indexOf(urgency) <= levels.indexOf(level);
  return { refuses, state: () => ({ lagMs: 0, level }), close: () => {} };
}
