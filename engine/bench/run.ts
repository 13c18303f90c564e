import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type CostSubjects,
  costlierThanAccepted,
  createBasicSubjects,
  createOtherSubjects,
  measureCosts,
  wronglyAnswered,
} from './costs.js';
import { hasWrk, type Measurement, measureWithLoadgen, measureWithWrk, type Work } from './measure.js';
import { type Results, renderMarkdown, renderSummary } from './report.js';
import { openSale, soldOutSale } from './sale.js';
import { type Server, type Subject, startServer } from './servers.js';
import { createIssuer, unreachedLimits, writeSessionCallers } from './shoppers.js';
import { makeTemporaryDirectory, removeDirectory } from './temporary-directory.js';
import { describeMachine, writeMeasurement } from './write-measurement.js';

const help = `npm run bench [-- --quick] [-- --rounds 3]

Measures in turn on this machine: the engine, the same HTTP server with a lock per request, and a bare Fastify as
the ceiling. Every request has an Idempotency-Key, unless a line says otherwise. Prints ratios and the processor time of a
request with the API key, with a shopper's session and with a shopper's JWT, and writes raw figures to docs/measurements/.
Fails if the engine gives a wrong answer, or if a refusal or an order with the API key costs 8 % more than is accepted
(engine/bench/accepted-costs.json).

  --quick     one short round, with the API key only; under a minute
  --rounds N  rounds of each measurement (default 3); reports medians. Processor time is measured in 3 N short rounds.
`;

type Step = { subject: Subject; work: Work };

const unitsEnough = 1_000_000_000;

const settingsOf: Record<Subject, Record<string, string>> = {
  engine: unreachedLimits,
  // So that it lets 1,000 requests wait for the lock as long as that takes, instead of refusing them.
  'lock-per-request': { MAX_IN_FLIGHT: '4000', DB_TIMEOUT: '30000', SHED_LAG_MS: '0', SHED_WAIT_MS: '0' },
  'null-handler': {},
};

// The subjects alternate, so that a slow minute of the machine does not affect only one of them.
const sellout: Work = { scenario: 'sellout', connections: 2000, requests: 1_000_000, keys: true };
const throughput = (connections: number): Work => ({
  scenario: 'throughput',
  connections,
  durationS: 8,
  keys: true,
});
const fullSteps: Step[] = [
  { subject: 'null-handler', work: { ...sellout, requests: 400_000 } },
  { subject: 'engine', work: sellout },
  ...[200, 500, 1000].flatMap((connections): Step[] => [
    { subject: 'lock-per-request', work: throughput(connections) },
    { subject: 'engine', work: throughput(connections) },
  ]),
];
const quickSteps: Step[] = [
  { subject: 'null-handler', work: { ...sellout, requests: 100_000 } },
  { subject: 'engine', work: { ...sellout, requests: 100_000 } },
  { subject: 'lock-per-request', work: { ...throughput(500), durationS: 4 } },
  { subject: 'engine', work: { ...throughput(500), durationS: 4 } },
];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean' } },
});
if (options.help) process.stdout.write(help);
else await bench(options.quick ?? false, Number(options.rounds ?? (options.quick ? 1 : 3)));

async function bench(isQuick: boolean, rounds: number): Promise<void> {
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds: expected a whole number from 1');
  const startedAt = new Date();
  const started: Server[] = [];
  try {
    const servers = await startAll(started);
    const measurements = await measureAll(servers, isQuick, rounds);
    const memoryPeakBytes = servers.engine.memoryPeakBytes();
    const costs = isQuick
      ? await measureCosts(await basicSubjects(servers), { rounds: 3 * rounds, durationS: 1 })
      : await measureCostsOfAll(servers, started, rounds);
    const problems = [...wronglyAnswered(costs), ...costlierThanAccepted(costs)];
    // A fast engine that does not do its work is not a result. What its yardsticks fail to answer is only shown.
    const ofEngine = measurements.filter(({ subject }) => subject === 'engine');
    if (ofEngine.some(({ errors, verdict }) => errors > 0 || verdict === 'fail')) process.exitCode = 1;
    if (problems.length > 0) process.exitCode = 1;
    const machine = describeMachine();
    report({
      startedAt: startedAt.toISOString(),
      machine,
      isQuick,
      rounds,
      memoryPeakBytes,
      measurements,
      costs,
    });
    for (const problem of problems) process.stderr.write(`${problem}\n`);
  } finally {
    for (const server of started) await server.stop();
  }
}

type Servers = Record<Subject, Server>;

async function startAll(started: Server[]): Promise<Servers> {
  const start = async (subject: Subject) => {
    const server = await startServer(subject, settingsOf[subject]);
    started.push(server);
    return server;
  };
  return {
    engine: await start('engine'),
    'lock-per-request': await start('lock-per-request'),
    'null-handler': await start('null-handler'),
  };
}

function basicSubjects(servers: Servers): Promise<CostSubjects> {
  return createBasicSubjects(servers.engine, servers['null-handler']);
}

/** Also measures requests that shoppers send themselves. The engine for their JWTs starts only now, to disturb nothing before. */
async function measureCostsOfAll(servers: Servers, started: Server[], rounds: number) {
  const directory = makeTemporaryDirectory();
  try {
    const issuer = await createIssuer();
    const jwtEngine = await startServer('engine', { ...unreachedLimits, ...issuer.settings });
    started.push(jwtEngine);
    const callers = { sessions: join(directory, 'sessions'), tokens: join(directory, 'tokens') };
    await writeSessionCallers(servers.engine, callers.sessions);
    await issuer.writeCallers(callers.tokens);
    const subjects: CostSubjects = {
      ...(await basicSubjects(servers)),
      ...(await createOtherSubjects({ engine: servers.engine, jwtEngine }, callers)),
    };
    return await measureCosts(subjects, { rounds: 3 * rounds, durationS: 2 });
  } finally {
    removeDirectory(directory);
  }
}

async function measureAll(servers: Servers, isQuick: boolean, rounds: number): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const step of isQuick ? quickSteps : fullSteps) {
      for (const measured of await measure(step, servers[step.subject], isQuick)) {
        measurements.push(measured);
        process.stderr.write(`round ${round} of ${rounds}  ${describe(measured)}\n`);
      }
    }
  }
  return measurements;
}

async function measure({ subject, work }: Step, server: Server, isQuick: boolean): Promise<Measurement[]> {
  const measured = [await measureWithLoadgen(subject, server, work)];
  if (!isQuick && hasWrk()) {
    const productId = await productFor(subject, work, server);
    measured.push(
      await measureWithWrk(subject, server, { ...work, durationS: work.durationS ?? 8 }, productId),
    );
  }
  return measured;
}

async function productFor(subject: Subject, { scenario }: Work, server: Server): Promise<number> {
  if (subject === 'null-handler') return 1;
  return scenario === 'sellout' ? soldOutSale(server) : openSale(server, unitsEnough);
}

function describe({
  subject,
  scenario,
  connections,
  generator,
  requestsPerSecond,
  p99Ms,
  errors,
  unexpected = [],
}: Measurement): string {
  const rate = Math.round(requestsPerSecond).toLocaleString('en');
  return `${subject} ${scenario} ${connections} connections (${generator}): ${rate}/s, P99 ${p99Ms.toFixed(1)} ms, ${errors} errors ${unexpected.join(', ')}`;
}

function report(results: Results): void {
  const page = renderMarkdown(results);
  const date = results.startedAt.slice(0, 10);
  const file = writeMeasurement(results.isQuick ? 'bench-quick' : 'bench', results, { page, date });
  process.stdout.write(`${renderSummary(results)}\nRaw figures: ${file}\n`);
}
