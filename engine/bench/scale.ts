import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { describeMachine } from './report.js';
import { type Engine, startApi } from './roles.js';
import { credentials } from './servers.js';

/**
 * Measures how fast 1, 2 and 4 worker processes decide a backlog of queued orders. All orders are accepted before the
 * first worker starts, so that neither takes CPU time from the other. Writes raw figures to docs/measurements/.
 */
const help = `node engine/dist-bench/scale.js [--orders 60000] [--rounds 3] [--workers 1,2,4]

Uses DATABASE_URL if it is set, otherwise an embedded database. With AMQP_URL the queue is in RabbitMQ.
`;

type Figures = {
  workers: number;
  acceptedPerSecond: number;
  decidedPerSecond: number;
  middlePerSecond: number | null;
};

const loadgen = fileURLToPath(new URL('../../loadgen/dist/main.js', import.meta.url));
const reportSchema = z.object({
  throughput: z.object({ queuedPerSecond: z.number() }),
  decisions: z.object({ decidedPerSecond: z.number(), middlePerSecond: z.number().nullable() }),
});

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '60000' },
    rounds: { type: 'string', default: '3' },
    workers: { type: 'string', default: '1,2,4' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(help);
else await bench(wholeNumber(values.orders), wholeNumber(values.rounds));

async function bench(orders: number, rounds: number): Promise<void> {
  const workerCounts = values.workers.split(',').map(wholeNumber);
  const engine = await startApi();
  const results: Figures[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const workers of workerCounts) {
        const figures = await measure(engine, workers, orders);
        results.push(figures);
        process.stderr.write(`round ${round} of ${rounds}  ${lineOf(figures)}\n`);
      }
    }
  } finally {
    await engine.stop();
  }
  report(orders, rounds, results);
}

async function measure(engine: Engine, workers: number, orders: number): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-bench-'));
  const file = join(directory, 'report.json');
  const stops: (() => Promise<void>)[] = [];
  const args = ['--scenario', 'scale', '--url', engine.url, '--orders', String(orders), '--json', file];
  const child = fork(loadgen, [...args, '--quiet'], {
    env: { ...process.env, ...credentials },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.on('message', message => {
    if (message !== 'accepted') return;
    for (let i = 0; i < workers; i++) stops.push(engine.startWorker());
  });
  try {
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`exit code ${code}; npm run load -- --scenario scale shows details`);
    const { throughput, decisions } = reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return { workers, acceptedPerSecond: throughput.queuedPerSecond, ...decisions };
  } finally {
    for (const stop of stops) await stop();
    rmSync(directory, { recursive: true });
  }
}

function report(orders: number, rounds: number, results: Figures[]): void {
  const date = new Date().toISOString().slice(0, 10);
  const database = process.env.DATABASE_URL ? { postgresql: 'the one at DATABASE_URL' } : {};
  const queue = process.env.AMQP_URL ? 'RabbitMQ' : 'PostgreSQL';
  const machine = { ...describeMachine(), ...database, queue };
  const text = [
    `# ${orders.toLocaleString('en')} queued orders and 1 to ${Math.max(...results.map(({ workers }) => workers))} workers, ${date}`,
    '',
    `Command: \`node engine/dist-bench/scale.js --orders ${orders} --rounds ${rounds} --workers ${values.workers}\`. An API process accepts`,
    'all orders of one sale before any worker runs; then the workers start, each in its own process. "Decided" counts from',
    'the last look with nothing decided, so it includes the start and the end, when not all workers are busy. The middle is',
    'from 10 % to 90 % of the orders. API, PostgreSQL and workers share the processors. One line per run.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    '| workers | accepted/s | decided/s | decided/s, middle |',
    '|---|---|---|---|',
    ...results.toSorted((a, b) => a.workers - b.workers).map(lineOf),
    '',
  ].join('\n');
  const directory = fileURLToPath(new URL('../../docs/measurements/', import.meta.url));
  const name = `${date}-scale${process.env.AMQP_URL ? '-rabbitmq' : ''}`;
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.md`), text);
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
  process.stdout.write(text);
}

function lineOf({ workers, acceptedPerSecond, decidedPerSecond, middlePerSecond }: Figures): string {
  const cells = [acceptedPerSecond, decidedPerSecond, middlePerSecond ?? Number.NaN].map(Math.round);
  return `| ${[workers, ...cells].join(' | ')} |`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`${text}: expected a whole number from 1`);
}
