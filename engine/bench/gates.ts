import { Agent, request } from 'node:http';
import type { Work } from './measure.js';
import { type Cost, type Load, loadWithLoadgen, measureCost } from './measure-cost.js';
import { median } from './median.js';
import { openSale } from './sale.js';
import { credentials, type Server, startServer } from './servers.js';
import { describeMachine, renderTable, writeMeasurement } from './write-measurement.js';

/**
 * `REDIS_URL=redis://... node engine/dist-bench/gates.js`: the cost and benefit of the gate in Redis. Two engines that
 * differ only in REDIS_URL take turns at the same loads. Writes raw figures to docs/measurements/. Uses the Redis
 * database.
 */
const rounds = 3;
const works: Record<string, Work> = {
  'purchases that succeed': { scenario: 'throughput', connections: 300, durationS: 6, keys: false },
  'mostly refused as sold out': { scenario: 'sellout', connections: 500, requests: 100_000, keys: false },
};
const refusedWork = 'buyers who have reached the limit';
const greedyBuyers = 50;
const greedyConnections = 100;
const greedyForMs = 5000;

type Gate = 'memory' | 'redis';
type Figures = Cost & { gate: Gate; work: string };

const redisUrl = process.env.REDIS_URL;
if (!redisUrl) throw new Error('REDIS_URL: expected a Redis that has no other users');
const servers: Record<Gate, Server> = {
  memory: await startServer('engine'),
  redis: await startServer('engine', { REDIS_URL: redisUrl }),
};
try {
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const gate of ['memory', 'redis'] as const) figures.push(...(await measureAll(gate)));
  }
  report(figures);
} finally {
  for (const server of Object.values(servers)) await server.stop();
}

async function measureAll(gate: Gate): Promise<Figures[]> {
  const server = servers[gate];
  const figures: Figures[] = [];
  for (const [work, load] of Object.entries(works)) {
    figures.push(await measure(gate, work, () => loadWithLoadgen(server, load)));
  }
  figures.push(await measure(gate, refusedWork, () => loadWithGreedy(server)));
  return figures;
}

async function measure(gate: Gate, work: string, load: () => Promise<Load>): Promise<Figures> {
  return { gate, work, ...(await measureCost(servers[gate], `${gate}, ${work}`, load)) };
}

/** Buyers who have reached their limit keep trying as fast as the engine answers. */
async function loadWithGreedy(server: Server): Promise<Load> {
  const productId = await openSale(server, 1_000_000);
  const agent = new Agent({ keepAlive: true, maxSockets: greedyConnections });
  const buy = (buyer: number, quantity: number) =>
    post(agent, server.url, { productId, userId: `greedy-${buyer}`, quantity });
  for (let buyer = 0; buyer < greedyBuyers; buyer++) await buy(buyer, 10);
  const endsAtMs = performance.now() + greedyForMs;
  let count = 0;
  let errors = 0;
  const goOn = async (_: unknown, connection: number) => {
    while (performance.now() < endsAtMs) {
      if ((await buy(connection % greedyBuyers, 1)) !== 409) errors += 1;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: greedyConnections }, goOn));
  agent.destroy();
  return { count, requestsPerSecond: count / (greedyForMs / 1000), errors };
}

function post(agent: Agent, url: string, body: unknown): Promise<number | undefined> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credentials.API_KEY}` };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/purchase`, { agent, method: 'POST', headers }, response => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

function report(figures: readonly Figures[]): void {
  const startedAt = new Date().toISOString();
  const file = writeMeasurement('gates', { startedAt, machine: describeMachine(), rounds, figures });
  const rows = [...Object.keys(works), refusedWork].map(work => {
    const rates = medians(figures, work, one => one.requestsPerSecond);
    const costs = medians(figures, work, one => one.cpuUsPerRequest);
    return [work, describe(rates), describe(costs)];
  });
  const columns = ['load', 'requests/s: memory, Redis (ratio)', 'us a request: memory, Redis (ratio)'];
  process.stdout.write(`${renderTable(columns, rows).join('\n')}\nRaw figures: ${file}\n`);
}

type Pair = Record<Gate, number>;

function describe({ memory, redis }: Pair): string {
  return `${Math.round(memory)}, ${Math.round(redis)} (${(redis / memory).toFixed(2)})`;
}

function medians(figures: readonly Figures[], work: string, figureOf: (one: Figures) => number): Pair {
  const of = (gate: Gate) =>
    median(figures.filter(one => one.gate === gate && one.work === work).map(figureOf));
  return { memory: of('memory'), redis: of('redis') };
}
