import { exportSPKI } from 'jose';
import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { operatorToken, secrets } from './support/config.js';
import { createTestDatabase } from './support/database.js';
import { createKey } from './support/issuer.js';

const keys = ['first-key-00000000', 'second-key-0000000000'];

describe.each(['demo', 'jwt', 'trusted'])('with IDENTITY=%s', IDENTITY => {
  it('every API key may name shoppers, and nothing that resembles a key may', async () => {
    const jwt = {
      JWT_ISSUER: 'https://id.example',
      JWT_AUDIENCE: 'shop',
      JWT_PUBLIC_KEY: await exportSPKI((await createKey('a')).publicKey),
    };
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { IDENTITY, ...jwt }, { secrets: { ...secrets, apiKeys: keys } });
    const statusWith = async (authorization: string) =>
      (await api.request('GET', '/api/attempts', { headers: { authorization, 'x-user-id': 'ann' } })).status;

    for (const key of keys) {
      expect(await statusWith(`Bearer ${key}`)).toBe(200);
      expect(await statusWith(`bearer ${key}`)).toBe(200);
    }
    for (const wrong of [
      `Bearer ${keys[0]?.slice(0, -1)}1`,
      `Bearer ${keys.join(',')}`,
      `Bearer ${keys[0]} `.padEnd(40, 'x'),
      `Bearer  ${keys[0]}`,
      `Basic ${keys[0]}`,
      `Bearer ${operatorToken}`,
      `Bearer ${secrets.secretKey}`,
      'Bearer ',
      'Bearer',
      '',
    ]) {
      expect({ wrong, status: await statusWith(wrong) }).toEqual({ wrong, status: 401 });
    }
  });
});
