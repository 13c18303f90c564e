import { describe, expect, it } from 'vitest';
import { sleep } from '../src/platform/backoff.js';
import { serviceHeaders } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createDataDir, runTool, startApiProcesses } from './support/engine.js';
import { createTestSale, stockOf } from './support/sale.js';

describe('the API in several processes', () => {
  it('sells exactly what there is, replaces a process that is killed, and ends in good order', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId, saleId } = await createTestSale(pool, { allocation: 150 });
    const metricsPort = 20_000 + Math.floor(Math.random() * 10_000);
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
    await until('the death is seen', () => engine.output().includes('another takes its place'), 10_000);
    // Until another has taken its place, the one that is left answers.
    let sold = 100;
    const giveUpAtMs = performance.now() + 15_000;
    for (let i = 0; sold < 150 && performance.now() < giveUpAtMs; i++) {
      if ((await buy(`after-${i}`).catch(() => 0)) === 200) sold += 1;
      else await sleep(20);
    }

    // Each has metrics of its own, and the heir has those of whom it follows.
    for (const port of [metricsPort, metricsPort + 1]) {
      await until(`port ${port} has metrics`, () => hasMetrics(port));
    }

    expect((await stockOf(pool, saleId)).available).toBe(0);
    expect(await buy('too-late')).toBe(409);
    expect(await engine.kill('SIGTERM')).toBe(0);
    await expectCleanAudit(pool);
  }, 60_000);

  it.each(['0', '65', 'two', '-1', '1.5'])('are not %s: the command says what is expected', async count => {
    const { code, output } = await runTool(['api', '--processes', count], await createDataDir());
    expect(code).toBe(1);
    expect(output).toMatch(/--processes is .*whole number from 1 to 64/s);
  });
});

async function hasMetrics(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined);
  return (await answer?.text())?.includes('http_requests_total') ?? false;
}
