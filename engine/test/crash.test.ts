import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { until } from './support/condition.js';
import { createDataDir, type EngineProcess, readSecret, runTool, startEngine } from './support/engine.js';

const answerSchema = z.looseObject({ order: z.looseObject({ id: z.string() }).optional() });

type Acknowledged = { orderId: string; shopperId: string; quantity: number };

describe('kill -9 of the engine under load', () => {
  it('loses nothing in five kills: every acknowledged order exists, retries find the same order, the audit is clean', async () => {
    const dataDir = await createDataDir();
    const acknowledged: Acknowledged[] = [];

    for (let round = 0; round < 5; round++) {
      const engine = await startEngine(dataDir);
      const shop = await connectTo(engine, dataDir);
      const acknowledgedBefore = acknowledged.length;
      const load = Promise.all(
        Array.from({ length: 20 }, (_, i) => buyUntilItEnds(shop, `${round}-${i}`, acknowledged)),
      );
      // This kill comes in the middle of the load, wherever its batches are.
      await until('orders are acknowledged', () => acknowledged.length > acknowledgedBefore + 200, 20_000);
      await engine.kill('SIGKILL');
      await load;
    }

    const engine = await startEngine(dataDir);
    const shop = await connectTo(engine, dataDir);
    for (const order of acknowledged.slice(-100)) {
      expect((await shop.buy(order.shopperId)).orderId).toBe(order.orderId);
    }
    expect(acknowledged.length).toBeGreaterThan(1000);
    const file = join(dataDir, 'acknowledged.ndjson');
    await writeFile(file, acknowledged.map(order => `${JSON.stringify(order)}\n`).join(''));
    const { code, output } = await runTool(['audit', '--acknowledged', file], dataDir);
    expect(output).toContain(`${acknowledged.length} acknowledged orders checked`);
    expect({ code, output }).toMatchObject({ code: 0 });
    // Six starts, five of them with a recovery, take a minute on a busy machine.
  }, 300_000);
});

describe('an engine stopped with SIGTERM under load', () => {
  it('answers every request, refuses new ones with 503, keeps every attempt, and exits with 0', async () => {
    const dataDir = await createDataDir();
    const engine = await startEngine(dataDir);
    const shop = await connectTo(engine, dataDir);
    const statuses: number[] = [];
    let dropped = 0;
    const buyUntilRefused = async (_: unknown, shopper: number) => {
      for (let i = 0; statuses.at(-1) !== 503; i++) {
        try {
          statuses.push((await shop.buy(`${shopper}-${i}`)).status);
        } catch {
          dropped += 1;
          return;
        }
      }
    };

    const load = Promise.all(Array.from({ length: 50 }, buyUntilRefused));
    await until('orders are confirmed', () => statuses.length > 500, 20_000);
    const code = await engine.kill('SIGTERM');
    await load;

    expect({ code, dropped }).toEqual({ code: 0, dropped: 0 });
    expect([...new Set(statuses)].sort()).toEqual([200, 503]);
    const { code: auditCode, output } = await runTool(['audit'], dataDir);
    expect({ auditCode, output }).toMatchObject({ auditCode: 0 });
  }, 60_000);
});

describe('Ctrl-C', () => {
  it('drains the engine although the terminal and npm each send their SIGINT', async () => {
    const dataDir = await createDataDir();
    const engine = await startEngine(dataDir);

    const ended = engine.kill('SIGINT');
    const again = engine.kill('SIGINT');

    expect(await ended).toBe(0);
    await again;
    const { output } = await runTool(['audit'], dataDir);
    // The database was stopped as well, so the tool had to start it itself.
    expect(output).toContain('All invariants hold');
  });
});

describe('the command line', () => {
  it('prints the effective settings', async () => {
    const dataDir = await createDataDir();
    const { code, output } = await runTool(['config'], join(dataDir, 'x'));
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('DB_POOL_MAX=25') });
  });

  it('reports that its port is taken, and exits', async () => {
    const dataDir = await createDataDir();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';

    const { code, output } = await runTool(['start'], dataDir, { PORT: port });
    taken.close();

    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringContaining(`127.0.0.1:${port} is already in use`),
    });
  });

  it('refuses a second engine on the same data directory and names the owner', async () => {
    const dataDir = await createDataDir();
    await startEngine(dataDir);
    const { code, output } = await runTool(['start'], dataDir);
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/process|pid/i) });
  });
});

async function connectTo({ url }: EngineProcess, dataDir: string) {
  const headers = {
    authorization: `Bearer ${await readSecret(dataDir, 'api-key')}`,
    'content-type': 'application/json',
    'idempotency-key': 'the-key',
  };
  return {
    async buy(userId: string): Promise<{ status: number; orderId: string | undefined }> {
      const body = JSON.stringify({ productId: 1, userId });
      const response = await fetch(`${url}/api/purchase`, { method: 'POST', headers, body });
      return { status: response.status, orderId: answerSchema.parse(await response.json()).order?.id };
    },
  };
}

async function buyUntilItEnds(
  shop: Awaited<ReturnType<typeof connectTo>>,
  name: string,
  acknowledged: Acknowledged[],
): Promise<void> {
  for (let i = 0; ; i++) {
    const shopperId = `${name}-${i}`;
    try {
      const { status, orderId } = await shop.buy(shopperId);
      if (status === 409) return;
      if (status === 200 && orderId) acknowledged.push({ orderId, shopperId, quantity: 1 });
    } catch {
      return;
    }
  }
}
