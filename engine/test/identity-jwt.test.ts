import { createHmac } from 'node:crypto';
import { exportJWK, exportSPKI } from 'jose';
import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { audience, type Claims, createKey, signToken } from './support/issuer.js';
import { bearing, buy, issuerName, settings, startWithIssuer } from './support/jwt-shop.js';
import { createTestSale } from './support/sale.js';

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** Claims that make a token invalid. */
const badClaims: Record<string, Claims> = {
  'has expired': { exp: nowSeconds() - 60 },
  'is not valid yet': { nbf: nowSeconds() + 600 },
  'never expires': { exp: undefined },
  'has an expiry that is not a number': { exp: 'tomorrow' },
  'is from another issuer': { iss: 'https://evil.example' },
  'names no issuer': { iss: undefined },
  'is for another service': { aud: 'another' },
  'names no audience': { aud: undefined },
  'names no shopper': { sub: undefined },
  'names an empty shopper': { sub: '' },
  'names a shopper by number': { sub: 7 },
  'names a shopper of 129 characters': { sub: 'x'.repeat(129) },
  'names a shopper with a control character': { sub: 'a\nb' },
  'names a shopper with a lone surrogate': { sub: '\ud800' },
  'is longer than 8,192 characters': { groups: 'x'.repeat(8192) },
};

describe("a token from the shop's issuer", () => {
  it("identifies its subject as the shopper, and gives access only to that shopper's own orders", async () => {
    const { api, token, productId } = await startWithIssuer();
    const ann = await token();
    const bought = await buy(api, ann, productId);
    expect(bought.status).toBe(200);

    const read = (bearer: string) =>
      api.request('GET', `/api/orders/${bought.body.order?.id}`, bearing(bearer));
    expect((await read(ann)).status).toBe(200);
    expect((await read(await token({ sub: 'bob' }))).slug).toBe('order-not-found');
    expect((await buy(api, ann, productId, { userId: 'bob' })).slug).toBe('invalid');
    const named = await api.purchase({ productId, userId: 'ann' });
    expect(named.status).toBe(200);
    expect((await api.request('GET', '/api/admin/audit', bearing(ann))).slug).toBe('forbidden');
    expect((await api.request('POST', '/api/session', { headers: {} })).status).toBe(404);
  });

  it('gets 401 if its claims are wrong', async () => {
    const { api, token, productId } = await startWithIssuer();
    for (const [what, claims] of Object.entries(badClaims)) {
      const answer = await buy(api, await token(claims), productId);
      expect({ what, status: answer.status, slug: answer.slug }).toEqual({
        what,
        status: 401,
        slug: 'not-authenticated',
      });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await buy(api, await token(), productId)).status).toBe(200);
  });

  it('gets 401 if the issuer did not sign it', async () => {
    const { api, key, token, productId } = await startWithIssuer();
    const good = await token();
    const [head = '', body = '', signature = ''] = good.split('.');
    const pem = await exportSPKI(key.publicKey);
    const jwk = JSON.stringify(await exportJWK(key.publicKey));
    const stranger = await createKey('a');
    const unsigned = (header: object) => `${encode(header)}.${body}`;
    const withHmac = (secret: string, kid = 'a') => {
      const text = unsigned({ alg: 'HS256', kid });
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const tokens = {
      'alg none, no signature': `${unsigned({ alg: 'none' })}.`,
      'alg none, with the signature': `${unsigned({ alg: 'none', kid: 'a' })}.${signature}`,
      'alg NoNe': `${unsigned({ alg: 'NoNe', kid: 'a' })}.${signature}`,
      'HS256 with the public key in PEM': withHmac(pem),
      'HS256 with the public key as JWK': withHmac(jwk),
      'HS256 with an empty secret': withHmac(''),
      'another algorithm for the key': `${unsigned({ alg: 'EdDSA', kid: 'a' })}.${signature}`,
      'an algorithm that is not listed': await signToken(await createKey('a', 'ES384'), issuerName),
      'a foreign key under the same kid': await signToken(stranger, issuerName),
      'a key in the header': await signToken(
        stranger,
        issuerName,
        {},
        { jwk: await exportJWK(stranger.publicKey) },
      ),
      'a URL in the header': await signToken(stranger, issuerName, {}, { jku: 'http://127.0.0.1:1/' }),
      'an odd kid': await signToken({ ...key, kid: '../../etc/passwd' }, issuerName),
      'a kid that is a property of every object': await signToken({ ...key, kid: '__proto__' }, issuerName),
      'a kid of 4,000 characters': await signToken({ ...key, kid: 'k'.repeat(4000) }, issuerName),
      'a kid that is a number': `${encode({ alg: 'ES256', kid: 7 })}.${body}.${signature}`,
      'an altered body': `${head}.${encode({ sub: 'bob', iss: issuerName, aud: audience, exp: 2e9 })}.${signature}`,
      'a truncated signature': good.slice(0, -4),
      'a signature of zeros': `${head}.${body}.${'A'.repeat(86)}`,
      'a header that is not JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
      'a header that is null': `${encode(null)}.${body}.${signature}`,
      'two parts': `${head}.${body}`,
      'five parts, as in an encrypted token': `${head}.${body}.${signature}.x.y`,
      'no token at all': '',
    };
    for (const [what, text] of Object.entries(tokens)) {
      const answer = await buy(api, text, productId);
      expect({ what, status: answer.status, slug: answer.slug }).toEqual({
        what,
        status: 401,
        slug: 'not-authenticated',
      });
    }
    expect((await buy(api, good, productId)).status).toBe(200);
  });

  it('gets 401 if JWT_ALGORITHMS does not list its algorithm, even if the issuer publishes its key', async () => {
    const other = await createKey('b', 'ES384');
    const { api, issuer, productId } = await startWithIssuer({ JWT_JWKS_COOLDOWN_MS: '1' });
    await issuer.publish(other);
    expect((await buy(api, await signToken(other, issuerName), productId)).status).toBe(401);
    const lax = { JWT_JWKS_URL: issuer.url, JWT_ALGORITHMS: 'ES256,ES384' };
    const both = await startTestApi((await createTestDatabase()).url, settings(lax));
    expect((await buy(both, await signToken(other, issuerName), 999_999)).slug).toBe('product-not-found');
  });

  it('is accepted with RSA, Ed25519 and ES256, and with a key from JWT_PUBLIC_KEY', async () => {
    for (const algorithm of ['RS256', 'EdDSA', 'ES256']) {
      const key = await createKey('a', algorithm);
      const pem = await exportSPKI(key.publicKey);
      const { url, pool } = await createTestDatabase();
      const { productId } = await createTestSale(pool);
      const api = await startTestApi(url, settings({ JWT_PUBLIC_KEY: pem }));
      expect((await buy(api, await signToken(key, issuerName), productId)).status).toBe(200);

      const text = `${encode({ alg: 'HS256' })}.${encode({ sub: 'bob', iss: issuerName, aud: audience, exp: 2e9 })}`;
      const swapped = `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      expect((await buy(api, swapped, productId)).status).toBe(401);
      const stranger = await createKey('a', algorithm);
      expect((await buy(api, await signToken(stranger, issuerName), productId)).status).toBe(401);
    }
  });

  it('expires on time even if it was accepted before', async () => {
    const { api, token, productId } = await startWithIssuer();
    // It stays valid for the five seconds by which two clocks may differ.
    const brief = await token({ exp: nowSeconds() });
    expect((await buy(api, brief, productId)).status).toBe(200);
    await until(
      'the token has expired',
      async () => (await buy(api, brief, productId)).status === 401,
      20_000,
    );
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
