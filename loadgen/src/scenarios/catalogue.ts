import { checkout } from './checkout.js';
import { constant } from './constant.js';
import { crowd } from './crowd.js';
import { ids } from './ids.js';
import { mixed } from './mixed.js';
import { overload } from './overload.js';
import { race } from './race.js';
import { raw } from './raw.js';
import { rehearsal } from './rehearsal.js';
import { scale } from './scale.js';
import type { Scenario } from './scenario.js';
import { sellout } from './sellout.js';
import { throughput } from './throughput.js';
import { vus } from './vus.js';

/** All scenarios, in the order of --help. */
export const SCENARIOS: readonly Scenario[] = [
  race,
  sellout,
  throughput,
  constant,
  vus,
  checkout,
  crowd,
  mixed,
  scale,
  overload,
  rehearsal,
  ids,
  raw,
];
