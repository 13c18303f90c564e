import { type Answer, serviceHeaders, startTestApi, type TestApi } from './api.js';
import { createTestDatabase } from './database.js';
import { audience, type Claims, createKey, type Issuer, signToken, startIssuer } from './issuer.js';
import { createTestSale } from './sale.js';

export const issuerName = 'https://id.example';

/** Starts a shop whose shoppers have tokens from an issuer, which behaves as `behaviour` says from the start. */
export async function startWithIssuer(
  env: Record<string, string> = {},
  behaviour: Parameters<Issuer['behave']>[0] = 'well',
) {
  const key = await createKey('a');
  const issuer = await startIssuer();
  await issuer.publish(key);
  issuer.behave(behaviour);
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { perUserLimit: 100 });
  const api = await startTestApi(url, settings({ JWT_JWKS_URL: issuer.url, ...env }));
  const token = (claims?: Claims) => signToken(key, issuerName, claims);
  return { api, issuer, key, token, productId };
}

export function settings(env: Record<string, string>) {
  return { IDENTITY: 'jwt', JWT_ISSUER: issuerName, JWT_AUDIENCE: audience, ...env };
}

export function buy(api: TestApi, token: string, productId: number, more = {}): Promise<Answer> {
  return api.request('POST', '/api/purchase', { body: { productId, ...more }, ...bearing(token) });
}

export function bearing(token: string) {
  return { headers: { ...serviceHeaders, authorization: `Bearer ${token}` } };
}
