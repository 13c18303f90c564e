import { judgeCurve } from '../overload/judge-curve.js';
import { onlyExpected } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

// More orders than one generator can ask for, so that the sale outlasts any climb.
const UNITS = 100_000_000;

/** Ten times what the server sustains: how much it still does, how it refuses the rest, and how soon it is well again. */
export const overload: Scenario = {
  name: 'overload',
  summary: 'open loop at 1x, 2x, 5x and 10x of what the server sustains, and back to 1x',
  defaults: { durationS: 10, connections: 1_000 },
  optional: ['ratePerSecond', 'units'],
  plan: settings => ({
    connections: setting(settings, 'connections'),
    pace: {
      kind: 'climb',
      ratePerSecond: settings.ratePerSecond ?? null,
      stepMs: setting(settings, 'durationS') * 1000,
    },
    sale: { allocation: settings.units ?? UNITS, perUserLimit: 1 },
    roads: 'direct',
    settling: 'nothing',
    shopperOf: uniqueShopper,
  }),
  judge: facts => [
    onlyExpected(facts, ['confirmed', 'overloaded', 'rate-limited', 'overflow']),
    ...(facts.curve === null ? [] : judgeCurve(facts.curve)),
  ],
};
