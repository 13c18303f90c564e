import { judgeCurve } from '../overload/judge-curve.js';
import { onlyExpected } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

// More orders than one generator can send, so that the sale outlasts any climb.
const UNITS = 100_000_000;

/** Up to ten times the rate that the server sustains: its goodput, its refusals, and how soon it recovers. */
export const overload: Scenario = {
  name: 'overload',
  summary: 'open loop at 1x, 2x, 5x and 10x of the rate that the server sustains, and back to 1x',
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
