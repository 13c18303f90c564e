import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { operatorToken, testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { readProtection } from './support/protection.js';
import { openConnection, openConnections } from './support/sockets.js';

const healthText = 'GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n';

describe('open connections', () => {
  it('from one address are limited: a further one is answered and closed, and each that ends makes room', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_PER_IP_MAX: '5' });
    const [first, ...others] = await openConnections(api.url, 5);
    if (!first) throw new Error('no connection');

    const extra = await openConnection(api.url);
    expect(await extra.answer()).toMatchObject({
      status: 503,
      head: expect.stringMatching(/^retry-after: \d+\r$/m),
    });
    for (const connection of [first, ...others]) {
      connection.write(healthText);
      expect((await connection.answer())?.status).toBe(200);
    }

    first.socket.destroy();
    const another = async () => {
      const connection = await openConnection(api.url);
      connection.write(healthText);
      const answer = await connection.answer();
      connection.socket.destroy();
      return answer?.status === 200;
    };
    await until('there is room again', another, 20_000);
    for (const { socket } of others) socket.destroy();
    const refused = await refusedBy(api);
    expect(refused.connectionsPerIp).toBeGreaterThan(0);
    expect(refused.connections).toBe(0);
  });

  it('from a proxy belong to many callers, and are not limited', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_PER_IP_MAX: '5', TRUST_PROXY: '127.0.0.0/8' });
    for (const connection of await openConnections(api.url, 20)) {
      connection.write(healthText);
      expect((await connection.answer())?.status).toBe(200);
    }
  });

  it('are limited in total: beyond that, only operators and probes are answered, one request each', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_MAX: '10' });
    const connections = await openConnections(api.url, 10);
    const ask = async (path: string) => {
      const extra = await openConnection(api.url);
      extra.write(
        `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${operatorToken}\r\n\r\n`,
      );
      const answer = await extra.answer();
      const isClosed = once(extra.socket, 'close');
      expect(answer?.head).toMatch(/^connection: close\r$/im);
      await isClosed;
      return answer?.status;
    };
    expect(await ask('/api/ready')).toBe(200);
    expect(await ask('/api/health')).toBe(200);
    expect(await ask('/api/admin/protection')).toBe(200);
    expect(await ask('/api/products')).toBe(503);
    expect(await ask('/')).toBe(503);

    for (const connection of connections) {
      connection.write(healthText);
      expect((await connection.answer())?.status).toBe(200);
    }
    for (const { socket } of connections) socket.destroy();
    expect((await refusedBy(api)).connections).toBe(2);
  });

  it('reserved for operators and probes are not used up by one address, and number a hundred at most', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_MAX: '10' });
    await openConnections(api.url, 20);
    const eleventh = await openConnection(api.url);
    expect((await eleventh.answer())?.status).toBe(503);
    const elsewhere = await openConnection(api.url, '127.0.0.2');
    elsewhere.write(healthText);
    expect((await elsewhere.answer())?.status).toBe(200);

    for (let n = 3; n < 12; n++) {
      await Promise.all(Array.from({ length: 10 }, () => openConnection(api.url, `127.0.0.${n}`)));
    }
    const last = await openConnection(api.url, '127.0.0.12');
    last.write(healthText);
    expect(await last.answer()).toBeUndefined();
  });

  it('from one address are by default no more than a third of all', () => {
    const { CONNECTIONS_MAX, CONNECTIONS_PER_IP_MAX } = testConfig();
    expect(CONNECTIONS_PER_IP_MAX).toBeGreaterThan(0);
    expect(CONNECTIONS_PER_IP_MAX * 3).toBeLessThanOrEqual(CONNECTIONS_MAX);
  });
});

/** Retries until there is room for this request, too. */
async function refusedBy(api: TestApi): Promise<Record<string, number>> {
  const ask = () => readProtection(api).catch(() => undefined);
  return (await until('it reports the connections it has refused', ask, 20_000)).refused;
}
