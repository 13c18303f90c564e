import { parseArgs } from 'node:util';
import type { Work } from './measure.js';
import { type Cost, loadWithLoadgen, measureCost } from './measure-cost.js';
import { median } from './median.js';
import { freePort, type Server, startServer } from './servers.js';
import { describeMachine, writeMeasurement } from './write-measurement.js';

/**
 * `node engine/dist-bench/builds.js --base DIR [--name metrics]`: compares this build, with metrics enabled and scraped
 * every second, with another build of the engine at DIR, in turn at the same loads. Writes raw figures to
 * docs/measurements/.
 */
const { values: options } = parseArgs({
  options: { base: { type: 'string' }, name: { type: 'string', default: 'builds' } },
});
if (options.base === undefined)
  throw new Error('--base: expected the folder of another build that contains engine/dist');

const rounds = 3;
const works: Record<string, Work> = {
  'purchases that succeed': { scenario: 'throughput', connections: 300, durationS: 4, keys: false },
  'mostly refused as sold out': { scenario: 'sellout', connections: 500, requests: 60_000, keys: false },
};

type Build = 'base' | 'this';
type Figures = Cost & { build: Build; work: string };

const metricsPort = await freePort();
const servers: Record<Build, Server> = {
  base: await startServer('engine', { WEB_ENABLED: 'false' }, `${options.base}/engine/dist/cli/main.js`),
  this: await startServer('engine', {
    WEB_ENABLED: 'false',
    ENABLE_METRICS: 'true',
    METRICS_PORT: String(metricsPort),
  }),
};
const scraper = setInterval(() => void scrape(), 1000);
try {
  const figures: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    const builds: Build[] = round % 2 === 0 ? ['base', 'this'] : ['this', 'base'];
    for (const [work, load] of Object.entries(works)) {
      for (const build of builds) figures.push(await measure(build, work, load));
    }
  }
  report(figures);
} finally {
  clearInterval(scraper);
  for (const server of Object.values(servers)) await server.stop();
}

async function scrape(): Promise<void> {
  await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).arrayBuffer();
}

async function measure(build: Build, work: string, load: Work): Promise<Figures> {
  const server = servers[build];
  const cost = await measureCost(server, `${build}, ${work}`, () => loadWithLoadgen(server, load));
  return { build, work, ...cost };
}

function report(figures: readonly Figures[]): void {
  const startedAt = new Date().toISOString();
  writeMeasurement(options.name, { startedAt, machine: describeMachine(), rounds, figures });
  for (const work of Object.keys(works)) {
    const of = (build: Build, read: (one: Figures) => number) =>
      median(figures.filter(one => one.work === work && one.build === build).map(read));
    const cpu = [of('base', one => one.cpuUsPerRequest), of('this', one => one.cpuUsPerRequest)] as const;
    const rate = [
      of('base', one => one.requestsPerSecond),
      of('this', one => one.requestsPerSecond),
    ] as const;
    process.stdout.write(
      `${work}: ${Math.round(rate[0])} -> ${Math.round(rate[1])}/s, ${cpu[0].toFixed(1)} -> ${cpu[1].toFixed(1)} µs a request (${(cpu[1] / cpu[0]).toFixed(3)})\n`,
    );
  }
}
