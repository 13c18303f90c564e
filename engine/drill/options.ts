import { randomInt } from 'node:crypto';
import { type Fault, faults } from './faults.js';
import { type Season, seasonNames } from './fortnight/seasons.js';
import { type ScenarioName, scenarioNames } from './load.js';

/** What was asked for, checked. */
export type Choice = {
  drills: { scenario: ScenarioName; fault: Fault }[];
  fortnights: Season[];
  isQuick: boolean;
  seed: number;
};

/** An option that means nothing; the message says what would. */
export class UsageError extends Error {}

export const optionsForParsing = {
  scenario: { type: 'string', multiple: true },
  fault: { type: 'string', multiple: true },
  fortnight: { type: 'string', multiple: true },
  all: { type: 'boolean' },
  quick: { type: 'boolean' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export type Values = {
  scenario?: string[] | undefined;
  fault?: string[] | undefined;
  fortnight?: string[] | undefined;
  all?: boolean | undefined;
  quick?: boolean | undefined;
  seed?: string | undefined;
};

// What a person can type again.
const seedMax = 2 ** 31;

/** Left out, the scenario is `mixed`, and the faults are those of one PostgreSQL. @throws UsageError */
export function readChoice({ scenario, fault, fortnight, all = false, quick = false, seed }: Values): Choice {
  if (fortnight && (all || scenario || fault))
    throw new UsageError('--fortnight goes with none of --all, --scenario and --fault');
  if (all && (scenario || fault)) throw new UsageError('--all goes with neither --scenario nor --fault');
  const wanted = scenario ?? (all ? scenarioNames : ['mixed']);
  const scenarios = wanted.map(name => pick('scenario', name, scenarioNames, each => each));
  const usual = all ? faults : faults.filter(({ database }) => database === undefined);
  const chosen = fault ? fault.map(name => pick('fault', name, faults, each => each.name)) : usual;
  const choice = {
    fortnights: (fortnight ?? []).map(name => pick('fortnight', name, seasonNames, each => each)),
    isQuick: quick,
    seed: seed === undefined ? randomInt(seedMax) : readSeed(seed),
  };
  if (fortnight) return { ...choice, drills: [] };
  return {
    ...choice,
    drills: scenarios.flatMap(name => chosen.map(each => ({ scenario: name, fault: each }))),
  };
}

/** @throws UsageError naming those that there are. */
function pick<T>(option: string, name: string, known: readonly T[], nameOf: (each: T) => string): T {
  const found = known.find(each => nameOf(each) === name);
  if (found !== undefined) return found;
  throw new UsageError(`--${option} ${name}: expected one of ${known.map(nameOf).join(', ')}`);
}

function readSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < seedMax) return Number(text);
  throw new UsageError(`--seed ${text}: expected a whole number below ${seedMax}`);
}

export function helpText(): string {
  return `npm run drill [-- --scenario mixed] [--fault redis-flushall] [--all] [--quick] [--seed 7]
npm run drill -- --fortnight autumn [--fortnight spring] [--quick]

Runs a whole installation on this machine: two API processes behind one port, two workers, a scheduler, a compensator,
and a PostgreSQL, a Redis and a RabbitMQ of its own, on free ports and in directories that go away with it. Loads it with
the load generator, breaks something in the middle of the sale, and holds the result against the promises:

  lost        orders that were answered with 200, 201 or 202, and do not exist
  duplicated  orders that were given twice, or to nobody
  oversold    units beyond those that there were
  stuck       orders that were accepted and have not ended
  recovered   from the end of the fault until a purchase and a queued order went well, and Redis was vouched for
  gate agrees after load and fault, until every API process and Redis saw the stock as the ledger does (10 s at most)

The load generator's verdict has to hold, and \`doorbuster audit\` has to exit with 0.

  --scenario NAME  ${scenarioNames.join(', ')} (default: mixed); may be repeated
  --fault NAME     one of those below (default: all but postgres-failover); may be repeated
  --all            every fault in every scenario
  --quick          small loads: seconds each
  --fortnight NAME ${seasonNames.join(', ')}: see below; may be repeated
  --seed N         decides when in the sale a fault strikes; a run prints its own

Faults:
${faults.map(({ name, summary }) => `  ${name.padEnd(26)}${summary}`).join('\n')}

A fortnight runs \`doorbuster start\` alone, with its embedded PostgreSQL, and moves the clock of all its processes ahead by an
hour a step, over the changes of the clocks in Europe and America (with --quick two days, by six hours a step). Each step has
purchases, holds, payments, webhooks to a receiver that fails, and sessions. After each step all that is due has to be done,
each day the audit has to hold, and only the books may grow. A day takes a minute or more.

Needs redis-server, rabbitmq-server and faketime; "node scripts/programs.mjs drill" says how to install those that are missing.
postgres-failover needs Patroni, etcd, HAProxy and PostgreSQL: "node scripts/programs.mjs failover".

Exit codes: 0 all promises were kept, 1 some were not, 2 the drill could not take place, 130 interrupted.
`;
}
