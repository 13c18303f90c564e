import { randomInt } from 'node:crypto';
import { type Fault, faults } from './faults.js';
import { type Season, seasonNames } from './fortnight/seasons.js';
import { type ScenarioName, scenarioNames } from './load.js';

/** The validated options. */
export type Choice = {
  drills: { scenario: ScenarioName; fault: Fault }[];
  fortnights: Season[];
  isQuick: boolean;
  seed: number;
};

/** An invalid option. The message says what is valid. */
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

// Short enough for a person to type again.
const seedMax = 2 ** 31;

/** Defaults: the scenario `mixed`, and the faults that need only one PostgreSQL. @throws UsageError */
export function readChoice({ scenario, fault, fortnight, all = false, quick = false, seed }: Values): Choice {
  if (fortnight && (all || scenario || fault))
    throw new UsageError('--fortnight cannot be combined with --all, --scenario or --fault');
  if (all && (scenario || fault)) throw new UsageError('--all cannot be combined with --scenario or --fault');
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

/** @throws UsageError that names the valid values. */
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
and its own PostgreSQL, Redis and RabbitMQ on free ports and in temporary directories. Loads it with the load generator,
breaks something in the middle of the sale, and checks the result against the promises:

  lost        orders that were answered with 200, 201 or 202 and do not exist
  duplicated  orders that were acknowledged twice, or never
  oversold    units sold beyond the allocation
  stuck       orders that were accepted and have not ended
  recovered   from the end of the fault until a purchase and a queued order succeeded and the gate in Redis was valid
  gate agrees after load and fault, until every API process and Redis agreed with the ledger on the stock (10 s at most)

The load generator's verdict must pass, and \`doorbuster audit\` must exit with 0.

  --scenario NAME  ${scenarioNames.join(', ')} (default: mixed); may be repeated
  --fault NAME     one of those below (default: all but postgres-failover); may be repeated
  --all            every fault in every scenario
  --quick          small loads: seconds each
  --fortnight NAME ${seasonNames.join(', ')}: see below; may be repeated
  --seed N         decides when in the sale a fault strikes; each run prints its seed

Faults:
${faults.map(({ name, summary }) => `  ${name.padEnd(26)}${summary}`).join('\n')}

A fortnight runs \`doorbuster start\` alone, with its embedded PostgreSQL, and moves the clock of all its processes ahead by
one hour per step, across the clock changes in Europe and America (with --quick: two days in steps of six hours). Each
step has purchases, holds, payments, webhooks to a failing receiver, and sessions. After each step all due work must be
done, the daily audit must be clean, and only permanent tables may grow. A day takes a minute or more.

Needs redis-server, rabbitmq-server and faketime; "node scripts/programs.mjs drill" says how to install missing ones.
postgres-failover needs Patroni, etcd, HAProxy and PostgreSQL: "node scripts/programs.mjs failover".

Exit codes: 0 all promises were kept, 1 some were broken, 2 the drill could not take place, 130 interrupted.
`;
}
