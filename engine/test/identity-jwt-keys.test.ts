import { describe, expect, it } from 'vitest';
import { until } from './support/condition.js';
import { createKey, signToken } from './support/issuer.js';
import { bearing, buy, issuerName, startWithIssuer } from './support/jwt-shop.js';

describe("the issuer's keys", () => {
  it('are fetched once per cooldown, however many tokens name an unknown key', async () => {
    const { api, issuer, key, token, productId } = await startWithIssuer({ JWT_JWKS_COOLDOWN_MS: '600000' });
    expect((await buy(api, await token(), productId)).status).toBe(200);
    expect(issuer.asked()).toBe(1);
    const odd = await Promise.all(
      [...Array(50).keys()].map(n => signToken({ ...key, kid: `odd${n}` }, issuerName)),
    );
    const answers = await Promise.all(odd.map(text => buy(api, text, productId)));
    expect(answers.filter(({ status }) => status !== 401)).toEqual([]);
    expect(issuer.asked()).toBe(1);
    expect((await buy(api, await token(), productId)).status).toBe(200);
  });

  it('can be rotated: a new key is accepted at once, and a withdrawn key is refused', async () => {
    const { api, issuer, token, productId } = await startWithIssuer({ JWT_JWKS_COOLDOWN_MS: '1' });
    const old = await token();
    expect((await buy(api, old, productId)).status).toBe(200);

    const next = await createKey('b', 'EdDSA');
    await issuer.publish(next);
    expect((await buy(api, await signToken(next, issuerName), productId)).status).toBe(200);
    expect((await buy(api, old, productId)).status).toBe(200);

    issuer.withdraw('a');
    // A token with an unknown key makes the engine fetch the keys; so does their age.
    await buy(api, await signToken({ ...next, kid: 'c' }, issuerName), productId);
    expect((await buy(api, old, productId)).status).toBe(401);
    expect((await buy(api, await signToken(next, issuerName, { sub: 'new' }), productId)).status).toBe(200);
  });

  it('are fetched again when they are old, so that a withdrawn key is refused', async () => {
    const { api, issuer, token, productId } = await startWithIssuer({ JWT_JWKS_MAX_AGE_MS: '50' });
    const old = await token();
    expect((await buy(api, old, productId)).status).toBe(200);
    await issuer.publish(await createKey('b'));
    issuer.withdraw('a');
    await until(
      'the engine refuses the withdrawn key',
      async () => (await buy(api, old, productId)).status === 401,
      20_000,
    );
  });

  it.each(['fails', 'hangs', 'lies', 'floods'] as const)(
    'stay valid while their URL %s, and a token with a known key does not wait for it',
    async behaviour => {
      const { api, issuer, key, token, productId } = await startWithIssuer({
        JWT_JWKS_COOLDOWN_MS: '1',
        JWT_JWKS_MAX_AGE_MS: '1',
        JWT_JWKS_TIMEOUT: '1000',
      });
      expect((await buy(api, await token(), productId)).status).toBe(200);
      issuer.behave(behaviour);
      const askedBefore = issuer.asked();
      for (let n = 0; n < 3; n++) {
        expect((await buy(api, await token({ sub: `shopper-${n}` }), productId)).status).toBe(200);
        expect(
          (await buy(api, await signToken({ ...key, kid: `odd${n}` }, issuerName), productId)).status,
        ).toBe(401);
      }
      expect(issuer.asked()).toBeGreaterThan(askedBefore);
      issuer.behave('well');
      await issuer.publish(await createKey('b'));
      expect((await buy(api, await token({ sub: 'last' }), productId)).status).toBe(200);
    },
  );

  it.each(['fails', 'hangs', 'redirects'] as const)(
    'cause 503 with Retry-After if the URL %s before the first fetch, until it works again',
    async behaviour => {
      const { api, token, issuer, productId } = await startWithIssuer(
        { JWT_JWKS_COOLDOWN_MS: '50', JWT_JWKS_TIMEOUT: '200' },
        behaviour,
      );
      const answer = await buy(api, await token(), productId);
      expect(answer).toMatchObject({ status: 503, slug: 'unavailable' });
      expect(answer.headers.get('retry-after')).toMatch(/^[1-3]$/);
      // Calls that do not depend on the token are not affected.
      expect((await api.purchase({ productId, userId: 'u' })).status).toBe(200);
      expect((await api.request('GET', '/api/products', bearing(await token()))).status).toBe(200);
      issuer.behave('well');
      await until(
        'the engine accepts tokens',
        async () => (await buy(api, await token(), productId)).status === 200,
        20_000,
      );
    },
  );
});
