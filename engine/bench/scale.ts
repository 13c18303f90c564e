import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Engine, startApi } from './roles.js';
import { runLoadgen } from './run-loadgen.js';
import {
  describeMachine,
  renderPage,
  renderRow,
  renderTable,
  today,
  writeMeasurement,
} from './write-measurement.js';

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

const reportSchema = z.object({
  throughput: z.object({ queuedPerSecond: z.number() }),
  decisions: z.object({ decidedPerSecond: z.number(), middlePerSecond: z.number().nullable() }),
  verdict: z.object({ result: z.string() }),
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
        process.stderr.write(`round ${round} of ${rounds}  ${renderRow(cellsOf(figures))}\n`);
      }
    }
  } finally {
    await engine.stop();
  }
  report(orders, rounds, results);
}

async function measure(engine: Engine, workers: number, orders: number): Promise<Figures> {
  const stops: (() => Promise<void>)[] = [];
  const args = ['--scenario', 'scale', '--url', engine.url, '--orders', String(orders)];
  const onMessage = (message: unknown) => {
    if (message !== 'accepted') return;
    for (let i = 0; i < workers; i++) stops.push(engine.startWorker());
  };
  try {
    const { throughput, decisions, verdict } = await runLoadgen(args, reportSchema, onMessage);
    if (verdict.result === 'fail')
      throw new Error('the load failed; npm run load -- --scenario scale shows the details');
    return { workers, acceptedPerSecond: throughput.queuedPerSecond, ...decisions };
  } finally {
    for (const stop of stops) await stop();
  }
}

function report(orders: number, rounds: number, results: Figures[]): void {
  const database = process.env.DATABASE_URL ? { postgresql: 'that of DATABASE_URL' } : {};
  const queue = process.env.AMQP_URL ? 'RabbitMQ' : 'PostgreSQL';
  const machine = { ...describeMachine(), ...database, queue };
  const workersMost = Math.max(...results.map(({ workers }) => workers));
  const page = renderPage(
    `${orders.toLocaleString('en')} queued orders and 1 to ${workersMost} workers, ${today()}`,
    [
      `Command: \`node engine/dist-bench/scale.js --orders ${orders} --rounds ${rounds} --workers ${values.workers}\`. An API process accepts`,
      'all orders of one sale before any worker runs; then the workers start, each in its own process. "Decided" counts from',
      'the last poll before the first decision, so it includes the time in which workers start and end at different moments;',
      'the middle is from 10 % to 90 % of the orders. API, PostgreSQL and workers share the processors. One line per run.',
    ],
    machine,
    renderTable(
      ['workers', 'accepted/s', 'decided/s', 'decided/s, middle'],
      results.toSorted((a, b) => a.workers - b.workers).map(cellsOf),
    ),
  );
  const name = process.env.AMQP_URL ? 'scale-rabbitmq' : 'scale';
  writeMeasurement(name, { machine, results }, { page });
  process.stdout.write(page);
}

function cellsOf({ workers, acceptedPerSecond, decidedPerSecond, middlePerSecond }: Figures): number[] {
  return [workers, ...[acceptedPerSecond, decidedPerSecond, middlePerSecond ?? Number.NaN].map(Math.round)];
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`${text}: expected a whole number from 1`);
}
