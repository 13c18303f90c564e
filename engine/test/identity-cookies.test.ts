import { describe, expect, it } from 'vitest';
import { createTokenSigner } from '../src/http/identity/signed-token.js';
import { evil, openSession, send, shop, startWithDemoShoppers } from './support/browser.js';
import { operatorToken, secrets } from './support/config.js';

type Case = {
  headers: (own: string, csrfToken: string) => Record<string, string>;
  slug?: 'forbidden-origin' | 'csrf';
};

/** The headers by which a browser, or a client that poses as one, states where a request with a cookie comes from. */
const unsafe: Record<string, Case> = {
  'from our own page': { headers: own => ({ origin: own, 'sec-fetch-site': 'same-origin' }) },
  'from our own page, in an older browser': { headers: own => ({ origin: own }) },
  'from our own page behind a proxy that changes Host': {
    headers: () => ({ origin: 'https://public.example', 'sec-fetch-site': 'same-origin' }),
  },
  'from the address bar': { headers: () => ({ 'sec-fetch-site': 'none' }) },
  'from an allowed origin': { headers: () => ({ origin: shop, 'sec-fetch-site': 'cross-site' }) },
  'from an allowed origin, in an older browser': { headers: () => ({ origin: shop }) },
  'with neither header, but with the token': { headers: (_own, token) => ({ 'x-csrf-token': token }) },
  'from another site': {
    headers: () => ({ origin: evil, 'sec-fetch-site': 'cross-site' }),
    slug: 'forbidden-origin',
  },
  'from another site, in an older browser': { headers: () => ({ origin: evil }), slug: 'forbidden-origin' },
  'from another site that hides its origin': {
    headers: () => ({ origin: 'null', 'sec-fetch-site': 'cross-site' }),
    slug: 'forbidden-origin',
  },
  'from a page without an origin': { headers: () => ({ origin: 'null' }), slug: 'forbidden-origin' },
  'from another site, without Origin': {
    headers: () => ({ 'sec-fetch-site': 'cross-site' }),
    slug: 'forbidden-origin',
  },
  'from another host on our site': {
    headers: () => ({ origin: 'https://blog.example', 'sec-fetch-site': 'same-site' }),
    slug: 'forbidden-origin',
  },
  'from a host whose name begins with ours': {
    headers: own => ({ origin: `${own}.evil.example` }),
    slug: 'forbidden-origin',
  },
  'from another port on our host': {
    headers: () => ({ origin: 'http://127.0.0.1:1' }),
    slug: 'forbidden-origin',
  },
  'from a local file': { headers: () => ({ origin: 'file://' }), slug: 'forbidden-origin' },
  'from another site, with a stolen token': {
    headers: (_own, token) => ({ origin: evil, 'x-csrf-token': token }),
    slug: 'forbidden-origin',
  },
  'with neither header': { headers: () => ({}), slug: 'csrf' },
  'with neither header, but with a wrong token': { headers: () => ({ 'x-csrf-token': 'x' }), slug: 'csrf' },
  'with neither header, but with a token of the wrong length': {
    headers: (_own, token) => ({ 'x-csrf-token': `${token}x` }),
    slug: 'csrf',
  },
};

describe("a shopper's session cookie", () => {
  it(`authorises changes only from trusted origins or with its CSRF token (${Object.keys(unsafe).length} cases)`, async () => {
    const { api, productId, pool } = await startWithDemoShoppers({ CORS_ORIGIN: shop });
    const { cookie, csrfToken } = await openSession(api);
    let bought = 0;
    for (const [what, { headers, slug }] of Object.entries(unsafe)) {
      const answer = await send(
        api,
        'POST',
        '/api/purchase',
        { productId },
        {
          cookie,
          ...headers(api.url, csrfToken),
        },
      );
      expect({ what, ...answer }).toMatchObject({ what, status: slug ? 403 : 200 });
      if (slug) expect({ what, slug: answer.slug }).toEqual({ what, slug });
      else bought++;
    }
    const { rows } = await pool.query<{ orders: number }>('select count(*) as orders from orders');
    expect(rows[0]?.orders).toBe(bought);
  });

  it('authorises reads from any page, because other pages cannot see the answer', async () => {
    const { api } = await startWithDemoShoppers();
    const { cookie } = await openSession(api);
    const { status, headers } = await send(api, 'GET', '/api/attempts', undefined, {
      cookie,
      origin: evil,
      'sec-fetch-site': 'cross-site',
    });
    expect(status).toBe(200);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('does not work with the CSRF token of another session', async () => {
    const { api, productId } = await startWithDemoShoppers();
    const [mine, other] = [await openSession(api), await openSession(api)];
    const answer = await send(
      api,
      'POST',
      '/api/purchase',
      { productId },
      {
        cookie: mine.cookie,
        'x-csrf-token': other.csrfToken,
      },
    );
    expect(answer.slug).toBe('csrf');
  });

  it('is ignored if the request has a bearer token, whatever page it comes from', async () => {
    const { api, productId } = await startWithDemoShoppers();
    const { cookie, token } = await openSession(api);
    const headers = {
      cookie,
      origin: evil,
      'sec-fetch-site': 'cross-site',
      authorization: `Bearer ${token}`,
    };
    expect((await send(api, 'POST', '/api/purchase', { productId }, headers)).status).toBe(200);
  });

  it('expires, is HttpOnly, and is Secure in production and with COOKIE_SECURE=true', async () => {
    const { api } = await startWithDemoShoppers({ SESSION_TTL_SECONDS: '100' });
    const { setCookie, token } = await openSession(api);
    expect(setCookie).toEqual([
      `doorbuster_session=${token}; Path=/; Max-Age=100; SameSite=Lax; HttpOnly`,
      expect.stringMatching(/^doorbuster_csrf=[\w-]{43}; Path=\/; Max-Age=100; SameSite=Lax$/),
    ]);

    const secure = await startWithDemoShoppers({ COOKIE_SECURE: 'true' });
    for (const cookie of (await openSession(secure.api)).setCookie) expect(cookie).toMatch(/; Secure$/);
    const production = await startWithDemoShoppers({ NODE_ENV: 'production' });
    for (const cookie of (await openSession(production.api)).setCookie) expect(cookie).toMatch(/; Secure$/);
  });

  it('is refused if it has expired, was signed for another purpose, or was altered', async () => {
    const { api } = await startWithDemoShoppers();
    const sign = (purpose: string, secret: string, inMs: number) =>
      createTokenSigner(secret, purpose).sign({ subject: '1', endsAtMs: Date.now() + inMs });
    const read = (token: string) =>
      api.request('GET', '/api/attempts', { headers: { cookie: `doorbuster_session=${token}` } });
    const good = sign('session', secrets.secretKey, 60_000);
    const [subject, end, signature] = good.split('.');

    expect((await read(good)).status).toBe(200);
    for (const token of [
      sign('session', secrets.secretKey, -1),
      sign('operator-session', secrets.secretKey, 60_000),
      sign('session', 'another-secret-000000', 60_000),
      `2.${end}.${signature}`,
      `${subject}.${end}0.${signature}`,
      `${subject}.${signature}`,
      '',
      '..',
    ]) {
      expect({ token, status: (await read(token)).status }).toEqual({ token, status: 401 });
    }
  });

  it('expires on time even if it was accepted before', async () => {
    const { api } = await startWithDemoShoppers({ SESSION_TTL_SECONDS: '3' });
    const { token } = await openSession(api);
    const read = () => api.request('GET', '/api/attempts', { headers: { authorization: `Bearer ${token}` } });
    expect((await read()).status).toBe(200);
    await expect.poll(async () => (await read()).status, { timeout: 20_000 }).toBe(401);
  });

  it('is not issued to pages of other sites, which could sign in their visitors as another shopper', async () => {
    const { api } = await startWithDemoShoppers();
    for (const path of ['/api/session', '/api/admin/session']) {
      const answer = await send(api, 'POST', path, { secret: operatorToken }, { origin: evil });
      expect({ path, slug: answer.slug }).toEqual({ path, slug: 'forbidden-origin' });
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });
});
