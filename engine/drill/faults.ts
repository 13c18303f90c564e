import { sleep } from '../dist/platform/backoff.js';
import { apiProcesses, type Cluster, type DatabaseKind } from './cluster.js';
import type { Probe } from './probe.js';
import { until } from './until.js';

/** A fault in the middle of a sale. */
export type Fault = {
  name: string;
  summary: string;
  /** While the fault lasts, requests may fail with lost connections, timeouts and 503, and no other answer. */
  isFelt: boolean;
  /** Defaults to `single`. */
  database?: DatabaseKind;
  /** Breaks something. Resolves when everything that the engine cannot repair by itself is whole again. */
  strike(cluster: Cluster, scene: Scene): Promise<unknown>;
  /** What must work again besides purchases. */
  isHealed?(cluster: Cluster): boolean;
};

/** The surroundings of a fault. */
type Scene = { loadIsOver: Promise<unknown>; probe: Probe; say: (message: string) => void };

const outageMs = 10_000;
const dropEveryMs = 2000;
// The time in which a supervisor notices that a process has died and starts another.
const restartAfterMs = 1000;
// Immediate on an idle machine.
const noticeMs = 20_000;

export const faults: readonly Fault[] = [
  {
    name: 'none',
    summary: 'nothing goes wrong; the baseline for the other faults',
    isFelt: false,
    strike: async () => {},
  },
  {
    name: 'redis-flushall',
    summary: 'Redis loses all data',
    isFelt: false,
    strike: ({ redis }) => redis.client.flushall(),
  },
  {
    name: 'redis-script-flush',
    summary: 'Redis loses its loaded scripts',
    isFelt: false,
    strike: ({ redis }) => redis.client.script('FLUSH'),
  },
  {
    name: 'redis-kill-10s',
    summary: 'kill -9 of Redis, which comes back empty after 10 s',
    isFelt: false,
    async strike({ redis }) {
      await redis.kill();
      await sleep(outageMs);
      await redis.start();
    },
  },
  {
    name: 'rabbitmq-restart',
    summary: 'kill -9 of RabbitMQ, which restarts at once',
    isFelt: false,
    async strike({ rabbitmq }) {
      await rabbitmq.kill();
      await rabbitmq.start();
    },
  },
  {
    name: 'rabbitmq-drop-connections',
    summary: 'cuts every AMQP connection every 2 s during the load, at least three times',
    isFelt: false,
    async strike({ proxy }, { loadIsOver }) {
      let isOver = false;
      void loadIsOver.then(() => {
        isOver = true;
      });
      for (let drops = 0; drops < 3 || !isOver; drops++) {
        if (drops > 0) await sleep(dropEveryMs);
        proxy.drop();
      }
    },
  },
  {
    name: 'kill-worker',
    summary: 'kill -9 of one of two workers; another starts after a second',
    isFelt: false,
    async strike({ killWorker }) {
      const startAnother = await killWorker();
      await sleep(restartAfterMs);
      await startAnother();
    },
  },
  {
    name: 'kill-api',
    summary: 'kill -9 of one of two API processes, which the other survives',
    isFelt: true,
    async strike({ api }) {
      const [pid = 0] = apiPids(api.output());
      process.kill(pid, 'SIGKILL');
      await until('the parent notices that it died', () => !apiPids(api.output()).includes(pid), noticeMs);
    },
    isHealed: ({ api }) => apiPids(api.output()).length === apiProcesses,
  },
  {
    name: 'postgres-restart',
    summary: 'PostgreSQL crashes (immediate stop), and comes back after 10 s',
    isFelt: true,
    async strike({ postgres }) {
      await postgres.crash();
      await sleep(outageMs);
      await postgres.start();
    },
  },
  {
    name: 'postgres-failover',
    summary:
      'kill -9 of the leading PostgreSQL and its Patroni; the standby takes over, the old one follows it',
    isFelt: true,
    database: 'replicated',
    async strike({ postgres }, { probe, say }) {
      const killedAtMs = performance.now();
      const secondsSince = () => `${((performance.now() - killedAtMs) / 1000).toFixed(1)} s after the kill`;
      await postgres.crash();
      await probe.untilBuys();
      say(`the first purchase succeeded ${secondsSince()}`);
      await postgres.start();
      say(`the old primary is a synchronous standby ${secondsSince()}`);
    },
  },
];

/** The listening API processes, from the output of the process that started them. */
function apiPids(output: string): number[] {
  const [, first = ''] = /api in \d+ processes \(([\d, ]+)\)/.exec(output) ?? [];
  const alive = new Set(first.split(', ').map(Number));
  for (const [, pid] of output.matchAll(/"deadPid":(\d+),.*process died/g)) alive.delete(Number(pid));
  for (const [, heir] of output.matchAll(/Process (\d+) replaces/g)) alive.add(Number(heir));
  return [...alive];
}
