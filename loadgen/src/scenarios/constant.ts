import { allGranted, onlyExpected } from '../verdict/answers.js';
import { type Scenario, setting, uniqueShopper } from './scenario.js';

/** Shoppers arrive at a fixed rate whether or not the server keeps up. The only honest way to measure latency. */
export const constant: Scenario = {
  name: 'constant',
  summary: 'open loop: a fixed number of arrivals per second, latency from the intended time',
  defaults: { ratePerSecond: 2_795, durationS: 30, connections: 300 },
  optional: ['units'],
  plan(settings) {
    const ratePerSecond = setting(settings, 'ratePerSecond');
    const durationS = setting(settings, 'durationS');
    return {
      connections: setting(settings, 'connections'),
      pace: { kind: 'open', ratePerSecond, durationMs: durationS * 1000 },
      sale: { allocation: settings.units ?? Math.ceil(ratePerSecond * durationS), perUserLimit: 1 },
      roads: 'direct',
      settling: 'nothing',
      shopperOf: uniqueShopper,
    };
  },
  judge: facts => [onlyExpected(facts, ['confirmed']), ...allGranted(facts, 'confirmed')],
};
