import { describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { readProtection } from './support/protection.js';
import { openConnection, openConnections } from './support/sockets.js';

const healthText = 'GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n';

describe('open connections', () => {
  it('of one address are bounded: one more is told and closed, and each that ends makes room', async () => {
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

  it('of a proxy are those of many, and not bounded', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_PER_IP_MAX: '5', TRUST_PROXY: '127.0.0.0/8' });
    for (const connection of await openConnections(api.url, 20)) {
      connection.write(healthText);
      expect((await connection.answer())?.status).toBe(200);
    }
  });

  it('are bounded in all: one more is closed', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { CONNECTIONS_MAX: '10' });
    const connections = await openConnections(api.url, 10);

    const extra = await openConnection(api.url);
    extra.write(healthText);
    expect(await extra.answer()).toBeUndefined();

    for (const connection of connections) {
      connection.write(healthText);
      expect((await connection.answer())?.status).toBe(200);
    }
    for (const { socket } of connections) socket.destroy();
    expect((await refusedBy(api)).connections).toBeGreaterThan(0);
  });
});

/** Asks until there is room for the question, too. */
async function refusedBy(api: TestApi): Promise<Record<string, number>> {
  const ask = () => readProtection(api).catch(() => undefined);
  return (await until('it says what it has refused', ask, 20_000)).refused;
}
