import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { createTestSale, stockOf } from './support/sale.js';
import { openConnections, purchaseText, type RawConnection } from './support/sockets.js';

// Each takes two open files, one on either side.
const idleCount = 5000;
const slowCount = 300;
// Their defaults are 8 s and 5 s.
const timeouts = { REQUEST_TIMEOUT_MS: '1500', HEADERS_TIMEOUT_MS: '1000' };

describe('purchases go on', () => {
  it(`while ${idleCount} connections are open and silent`, async () => {
    expect(openFilesMax(), 'open files: raise it with `ulimit -n 20000`').toBeGreaterThan(3 * idleCount);
    const { api, saleId, productId, pool } = await start({ CONNECTIONS_PER_IP_MAX: '10000' });
    const idle = await openConnections(api.url, idleCount);

    expect(await buyMany(api, productId)).toEqual(Array(50).fill(200));
    expect(idle.filter(({ socket }) => socket.destroyed)).toEqual([]);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 50 });
  }, 60_000);

  it(`while ${slowCount} clients send their headers a byte at a time, and these are disconnected in time`, async () => {
    const { api, productId } = await start(timeouts);
    const slow = await openConnections(api.url, slowCount);
    const stop = dripEach(slow, purchaseText(productId, 'slow').split('\r\n\r\n')[0] ?? '');

    expect(await buyMany(api, productId)).toEqual(Array(50).fill(200));
    await untilEnded(slow);
    stop();
    expect(await statusesOf(slow)).toEqual([408]);
  }, 60_000);

  it(`while ${slowCount} clients send their bodies a byte at a time, and these are disconnected in time`, async () => {
    const { api, saleId, productId, pool } = await start({ ...timeouts, MAX_IN_FLIGHT: '20' });
    const slow = await openConnections(api.url, slowCount);
    const [head = '', body = ''] = purchaseText(productId, 'slow'.repeat(20)).split('\r\n\r\n');
    for (const { write } of slow) write(`${head}\r\n\r\n`);
    const stop = dripEach(slow, body.slice(0, 40));

    expect(await buyMany(api, productId, 10)).toEqual(Array(10).fill(200));
    await untilEnded(slow);
    stop();
    expect(await statusesOf(slow)).toEqual([408]);
    expect(await stockOf(pool, saleId)).toMatchObject({ sold: 10 });
  }, 60_000);
});

/** The limit of open files for this process; Node raises the soft limit to the hard one at startup. */
function openFilesMax(): number {
  const limitsSchema = z.looseObject({
    userLimits: z.looseObject({ open_files: z.looseObject({ soft: limitSchema }) }),
  });
  return limitsSchema.parse(process.report.getReport()).userLimits.open_files.soft;
}

const limitSchema = z.union([
  z.number(),
  z.string().transform(text => (text === 'unlimited' ? Infinity : Number(text))),
]);

async function start(env: Record<string, string>) {
  const { url, pool } = await createTestDatabase();
  const { saleId, productId } = await createTestSale(pool);
  return { api: await startTestApi(url, env), pool, saleId, productId };
}

async function buyMany(api: TestApi, productId: number, count = 50): Promise<number[]> {
  const purchases = Array.from({ length: count }, (_, n) =>
    api.purchase({ productId, userId: `buyer-${n}` }),
  );
  return (await Promise.all(purchases)).map(({ status }) => status);
}

/** Sends a text a byte at a time, faster than any timeout between two bytes would notice. */
function dripEach(connections: RawConnection[], text: string): () => void {
  let sent = 0;
  const timer = setInterval(() => {
    const byte = text[sent++];
    if (byte === undefined) return;
    for (const { socket, write } of connections) if (!socket.destroyed) write(byte);
  }, 100);
  return () => clearInterval(timer);
}

async function untilEnded(connections: RawConnection[]): Promise<void> {
  const isEnded = ({ socket }: RawConnection) => socket.destroyed || socket.readableEnded;
  await until('the server has ended all of them', () => connections.every(isEnded), 30_000);
}

/** The answers received; a client disconnected without one is not among them. */
async function statusesOf(connections: RawConnection[]): Promise<number[]> {
  const answers = await Promise.all(connections.map(({ answer }) => answer()));
  return [...new Set(answers.flatMap(answer => (answer ? [answer.status] : [])))];
}
