import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../drill/servers/free-port.js';
import { endsWithin } from '../src/platform/backoff.js';
import { serviceHeaders } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, runTool, startApiProcesses } from './support/engine.js';
import { countSockets, descendantsOf } from './support/process-table.js';
import { createTestSale, stockOf } from './support/sale.js';
import { openConnections } from './support/sockets.js';

describe('the API in several processes', () => {
  it('sells exactly the allocation, replaces a process that is killed, and shuts down cleanly', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 150 });
    const metricsPort = await findTwoFreePorts();
    const engine = await startApiProcesses(2, url, {
      ENABLE_METRICS: 'true',
      METRICS_PORT: String(metricsPort),
    });
    const pids = [...engine.output().matchAll(/\d+(?=[,)])/g)].map(([pid]) => Number(pid));
    expect(pids).toHaveLength(2);
    const buy = async (userId: string) => {
      const answer = await fetch(`${engine.url}/api/purchase`, {
        method: 'POST',
        headers: { ...serviceHeaders, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ productId, userId }),
      });
      return answer.status;
    };
    const statuses = await Promise.all(Array.from({ length: 100 }, (_, i) => buy(`before-${i}`)));
    expect(new Set(statuses)).toEqual(new Set([200]));

    process.kill(pids[0] ?? 0, 'SIGKILL');
    await until('the death is logged', () => engine.output().includes('starting another'), 10_000);
    // Until its replacement runs, the remaining process answers.
    for (let i = 0; i < 50; i++) {
      await until('it is sold', async () => (await buy(`after-${i}`).catch(() => 0)) === 200);
    }

    // Each has its own metrics, and the replacement also has those of its predecessor.
    for (const port of [metricsPort, metricsPort + 1]) {
      await until(`port ${port} has metrics`, () => hasMetrics(port));
    }

    expect((await stockOf(pool, saleId)).available).toBe(0);
    expect(await buy('too-late')).toBe(409);
    expect(await engine.kill('SIGTERM')).toBe(0);
    await expectCleanAudit(pool);
  }, 60_000);

  it.runIf(process.platform === 'linux')(
    'answers or closes every connection when a process is killed, and leaks no socket of it',
    async () => {
      const { url } = await createTestDatabase();
      const engine = await startApiProcesses(2, url);
      const children = descendantsOf(engine.pid).filter(({ command }) => command.endsWith('main.js api'));
      expect(children).toHaveLength(2);
      const before = countSockets(engine.pid);
      // A suspended process still has the work it was given, so that the kill certainly comes in the middle of it.
      const victim = children[0]?.pid ?? 0;
      process.kill(victim, 'SIGSTOP');
      const connections = await openConnections(engine.url, 20);
      for (const { write } of connections) write('GET /api/products HTTP/1.1\r\nHost: shop\r\n\r\n');
      process.kill(victim, 'SIGKILL');
      const settled = Promise.all(connections.map(({ answer }) => answer()));
      expect(await endsWithin(settled, 5000)).toBe(true);
      await until('another takes its place', () => engine.output().includes(' replaces '));
      expect(countSockets(engine.pid)).toBe(before);
    },
    60_000,
  );

  it.each(['0', '65', 'two', '-1', '1.5'])(
    'cannot run in %s processes: the command says what it expects',
    async count => {
      const { code, output } = await runTool(['api', '--processes', count], await createDataDir());
      expect(code).toBe(1);
      expect(output).toMatch(/--processes is .*whole number from 1 to 64/s);
    },
  );
});

/** A free port whose neighbour is also free. */
async function findTwoFreePorts(): Promise<number> {
  return until('two adjacent ports are free', async () => {
    const port = await findFreePort();
    const neighbour = createServer().listen(port + 1, '127.0.0.1');
    const isFree = await once(neighbour, 'listening').then(
      () => true,
      () => false,
    );
    neighbour.close();
    return isFree ? port : undefined;
  });
}

async function hasMetrics(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  return (await answer?.text())?.includes('http_requests_total') ?? false;
}
