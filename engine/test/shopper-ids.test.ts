import { describe, expect, it } from 'vitest';
import { serviceHeaders, startTestApi } from './support/api.js';
import { createTestDatabase } from './support/database.js';
import { audience, createKey, signToken, startIssuer } from './support/issuer.js';
import { createTestSale } from './support/sale.js';

// Each looks like one of the good ones below, or like nothing.
const lookalikes = {
  'a trailing space': 'alice ',
  'a leading space': ' alice',
  'two spaces in a row': 'alice  b',
  'a no-break space': 'alice\u00a0b',
  'an ideographic space': 'alice\u3000b',
  'a decomposed letter': 'ame\u0301lie',
  'a zero-width space': 'ali\u200bce',
  'a zero-width joiner': 'ali\u200dce',
  'a byte-order mark': '\ufeffalice',
  'a soft hyphen': 'ali\u00adce',
  'a direction mark': 'alice\u202e',
  'a variation selector': 'alice\ufe0f',
  'a grapheme joiner': 'ali\u034fce',
  'a Hangul filler': 'alice\u3164',
  'the blank of Braille': 'alice\u2800',
  'a tag': 'alice\u{e0061}',
  'full width': '\uff41lice',
  'a ligature': 'o\ufb03ce',
  'a line separator': 'alice\u2028b',
  'an unassigned letter': 'alice\u0378',
  'a control character': 'alice\u0085',
  'a lone surrogate': 'alice\ud800',
};
const good = [
  'alice',
  'Alice',
  'alice b',
  'am\u00e9lie',
  'auth0|5f7c8ec7',
  'a@b.example',
  '\u674e\u96f7',
  '\u{1f4a5}',
];

describe('shoppers whose ids look the same', () => {
  it('cannot exist: a name in another form, or with invisible characters, is refused', async () => {
    const { api, productId } = await start({ IDENTITY: 'trusted' });
    for (const [what, userId] of Object.entries(lookalikes)) {
      const { status, slug } = await api.purchase({ productId, userId });
      expect({ what, status, slug }).toEqual({ what, status: 400, slug: 'invalid' });
    }
    for (const userId of good) {
      const { status } = await api.purchase({ productId, userId });
      expect({ userId, status }).toEqual({ userId, status: 200 });
    }
    for (const addressKey of ['12 High Street ', '12 High\u00a0Street']) {
      const body = { productId, userId: 'bob', addressKey };
      expect((await api.request('POST', '/api/purchase', { body })).slug).toBe('invalid');
    }
  });

  it('are refused as subjects of tokens', async () => {
    const [issuer, key] = [await startIssuer(), await createKey('a')];
    await issuer.publish(key);
    const name = 'https://id.example';
    const { api, productId } = await start({
      IDENTITY: 'jwt',
      JWT_JWKS_URL: issuer.url,
      JWT_ISSUER: name,
      JWT_AUDIENCE: audience,
    });
    const buy = async (sub: string) => {
      const headers = { authorization: `Bearer ${await signToken(key, name, { sub })}` };
      return (await api.request('POST', '/api/purchase', { body: { productId }, headers })).status;
    };
    for (const [what, sub] of Object.entries(lookalikes)) {
      if (sub.isWellFormed()) expect([what, await buy(sub)]).toEqual([what, 401]);
    }
    expect(await buy('am\u00e9lie')).toBe(200);
  });
});

describe('a shopper who is named twice', () => {
  it.each([
    ['/api/purchase', 'productId'],
    ['/api/purchase', 'code'],
    ['/api/checkout', 'productId'],
    ['/api/orders', 'productId'],
  ])('by %s with %s, in the body and in the header, is one shopper or an error', async (path, field) => {
    const { api, productId } = await start({ IDENTITY: 'trusted' });
    const held = await api.request('POST', '/api/checkout', { body: { productId, userId: 'alice' } });
    const what = field === 'code' ? { code: held.body.code } : { productId };
    const send = async (userId: string | number, header: string) => {
      const headers = { ...serviceHeaders, 'x-user-id': header };
      return api.request('POST', path, { body: { ...what, userId }, headers });
    };
    expect(await send('alice', 'bob')).toMatchObject({ status: 400, slug: 'invalid' });
    expect((await send('alice', 'alice')).status).toBeLessThan(300);
    if (field !== 'code') expect((await send(7, '7')).status).toBeLessThan(300);
  });
});

async function start(env: Record<string, string>) {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool);
  return { api: await startTestApi(url, env), productId };
}
