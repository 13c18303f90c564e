import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import type { Logger } from 'pino';
import { endsWithin, sleep } from '../platform/backoff.js';
import { type Config, readConfig } from '../platform/config/config.js';
import { joinDatabase } from '../platform/database.js';
import { OperatingError } from '../platform/errors.js';
import { readSecrets } from '../platform/secrets.js';
import { onShutdown } from '../platform/shutdown.js';
import { createLogger } from '../platform/telemetry/logger.js';
import { serveRole } from './serve-roles.js';

const say = (message: string) => process.stdout.write(`${message}\n`);

// If processes die again and again, another start does not fix the cause.
const deathsMax = 10;
const deathsWithinMs = 60_000;
const restartAfterMs = 500;

/**
 * Runs the API in several processes that share one port, each with its own connections to the same database. A process
 * that dies is replaced. A stop ends them all in good order.
 */
export async function serveApi(options: { processes?: string }): Promise<void> {
  const count = readCount(options.processes ?? '1');
  if (count === 1 || cluster.isWorker) return serveRole('api');
  const config = readConfig(process.env);
  const logger = createLogger(config.LOG_LEVEL);
  await readSecrets(config);
  const database = await joinDatabase(config, { onProgress: say });
  // Each process accepts connections from the one listening socket. With round robin this process would accept them and
  // hand them over. If a process were killed meanwhile, its connections would stay open here, and their clients would
  // wait forever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ args: ['api'] });
  const crew = keepRunning(count, { DATABASE_URL: database.url }, config, logger);
  const closeTimeoutMs = config.DRAIN_DELAY_MS + 2 * config.DRAIN_TIMEOUT_MS;
  async function close(): Promise<void> {
    await crew.stop();
    await database.close();
  }
  onShutdown(closeTimeoutMs, logger, close);
  void Promise.race([database.lost, crew.lost]).then(async reason => {
    logger.fatal(reason);
    await endsWithin(close(), closeTimeoutMs);
    process.exit(1);
  });
  const { port, pids } = await crew.started;
  say(`Doorbuster is running: api in ${count} processes (${pids.join(', ')}).`);
  say(`  shop API         http://${config.HOST}:${port}/api/products`);
  if (config.ENABLE_METRICS) sayMetrics(config, count);
  say('Ctrl-C stops them; accepted orders are safe either way.');
}

function readCount(text: string): number {
  if (/^([1-9]|[1-5]\d|6[0-4])$/.test(text)) return Number(text);
  throw new OperatingError(
    'PROCESSES_INVALID',
    `--processes is ${text}`,
    'Give a whole number from 1 to 64, such as the number of processors',
  );
}

// A scraper must know which process it asks, so each process has its own port. A replacement takes over its
// predecessor's.
function metricsPortOf({ METRICS_PORT }: Config, place: number): number {
  return METRICS_PORT === 0 ? 0 : METRICS_PORT + place;
}

function sayMetrics({ METRICS_HOST, METRICS_PORT }: Config, count: number): void {
  const ports = METRICS_PORT === 0 ? 'free ports' : `ports ${METRICS_PORT} to ${METRICS_PORT + count - 1}`;
  say(`  metrics          /metrics at ${ports} of ${METRICS_HOST}`);
}

function keepRunning(count: number, env: Record<string, string>, config: Config, logger: Logger) {
  let deaths: number[] = [];
  let isStopping = false;
  let giveUp = (_reason: string) => {};
  const lost = new Promise<string>(resolve => {
    giveUp = resolve;
  });

  async function replace(pid: number | undefined, place: number): Promise<void> {
    const nowMs = performance.now();
    deaths = [...deaths.filter(atMs => nowMs - atMs < deathsWithinMs), nowMs];
    if (deaths.length > deathsMax) return giveUp(`${deaths.length} API processes died within a minute`);
    logger.error({ deadPid: pid }, 'an API process died; starting another');
    await sleep(restartAfterMs);
    if (isStopping) return;
    const heir = start(place);
    heir.once('message', () => say(`Process ${heir.process.pid} replaces ${pid}.`));
  }

  function start(place: number): Worker {
    const worker = cluster.fork({ ...env, METRICS_PORT: String(metricsPortOf(config, place)) });
    worker.once('exit', () => {
      if (!isStopping) void replace(worker.process.pid, place);
    });
    return worker;
  }

  const first = Array.from({ length: count }, (_, place) => start(place));
  return {
    lost,
    started: allStarted(first),
    async stop(): Promise<void> {
      isStopping = true;
      const workers = Object.values(cluster.workers ?? {}).filter(worker => worker !== undefined);
      const ended = workers.map(worker => once(worker, 'exit'));
      for (const worker of workers) worker.process.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}

async function allStarted(
  workers: readonly Worker[],
): Promise<{ port: string; pids: (number | undefined)[] }> {
  const [url = ''] = await Promise.all(
    workers.map(
      // Each process sends its address once it has started; by then it is listening.
      worker => new Promise<string>(resolve => worker.once('message', resolve)),
    ),
  );
  return { port: new URL(url).port, pids: workers.map(({ process: { pid } }) => pid) };
}
