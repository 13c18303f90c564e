import { parseArgs } from 'node:util';
import { messageOf } from '../dist/platform/errors.js';
import { type Cluster, type DatabaseKind, startCluster } from './cluster.js';
import { type DrillResult, runDrill } from './drill.js';
import { renderDays } from './fortnight/day.js';
import { openShopFor, runFortnight } from './fortnight/fortnight.js';
import type { Shop } from './fortnight/shop.js';
import { type Choice, helpText, optionsForParsing, readChoice, UsageError } from './options.js';
import { openProbe, type Probe } from './probe.js';
import { createRandom } from './random.js';
import { renderTable } from './table.js';

const startedAtMs = performance.now();
const say = (message: string) =>
  process.stderr.write(
    `${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s  ${message}\n`,
  );

// Attempts are written within 5 s of their answers, and a gate recovers within 10 s.
const auditWithinS = 10;

type Stage = { cluster: Cluster; probe: Probe; database: DatabaseKind };
let stage: Promise<Stage> | undefined;
let shop: Promise<Shop> | undefined;

let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupt());

try {
  const { values } = parseArgs({ options: optionsForParsing });
  if (values.help) process.stdout.write(helpText());
  else await run(readChoice(values));
} catch (error) {
  const isUsage = error instanceof UsageError || error instanceof TypeError;
  process.stderr.write(`drill: ${messageOf(error)}\n${isUsage ? 'See npm run drill -- --help\n' : ''}`);
  process.exitCode = 2;
}

async function run(choice: Choice): Promise<void> {
  if (choice.fortnights.length > 0) await liveFortnights(choice);
  else await drill(choice);
}

async function liveFortnights({ fortnights, isQuick }: Choice): Promise<void> {
  for (const season of fortnights) {
    say(`a fortnight in ${season}`);
    const options = { season, isQuick, say };
    shop = openShopFor(options);
    const { days, breaches } = await runFortnight(await shop, options).finally(endShop);
    process.stdout.write(`${season}\n${renderDays(days)}\n`);
    for (const breach of breaches) process.stdout.write(`BROKEN  ${breach}\n`);
    if (breaches.length > 0) process.exitCode = 1;
  }
}

async function drill({ drills, isQuick, seed }: Choice): Promise<void> {
  say(`${drills.length} ${drills.length === 1 ? 'drill' : 'drills'}, seed ${seed}`);
  const random = createRandom(seed);
  const results: DrillResult[] = [];
  try {
    for (const { scenario, fault } of drills) {
      const { database = 'single' } = fault;
      if ((await stage)?.database !== database) await endStage();
      stage ??= setStage(database);
      say(`${scenario}, ${fault.name}: ${fault.summary}`);
      // Between a tenth and a half, so that enough units are left for the time after the fault.
      const strikeAt = 0.1 + 0.4 * random();
      const { cluster, probe } = await stage;
      const result = await runDrill(
        cluster,
        probe,
        { scenario, fault, isQuick, auditWithinS, strikeAt },
        say,
      );
      results.push(result);
      for (const breach of result.breaches) say(`BROKEN  ${breach}`);
      if (result.breaches.length === 0) continue;
      // The next audit would find this breach again.
      await endStage();
    }
  } finally {
    if (!isInterrupted) await endStage();
  }
  process.stdout.write(`${renderTable(results)}\n`);
  if (results.some(({ breaches }) => breaches.length > 0)) process.exitCode = 1;
}

async function setStage(database: DatabaseKind): Promise<Stage> {
  const cluster = await startCluster(say, database);
  try {
    return { cluster, probe: await openProbe(cluster), database };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Stops all servers and gives no verdict: the interruption ended the work, not a fault. */
async function interrupt(): Promise<void> {
  if (isInterrupted) process.exit(130);
  isInterrupted = true;
  say('interrupted: stopping the servers');
  await Promise.all([endStage(), endShop()]);
  process.exit(130);
}

/** If servers are still starting, waits until they have started, because what to stop is known only then. */
async function endStage(): Promise<void> {
  const staged = await stage?.catch(() => undefined);
  stage = undefined;
  await staged?.cluster.stop();
}

async function endShop(): Promise<void> {
  const opened = await shop?.catch(() => undefined);
  shop = undefined;
  await opened?.stop();
}
