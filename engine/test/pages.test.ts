import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { testConfig } from './support/config.js';
import { createTestDatabase } from './support/database.js';

const pageHeaders = [
  'content-security-policy',
  'x-content-type-options',
  'x-frame-options',
  'referrer-policy',
  'cross-origin-opener-policy',
];

describe('pages for browsers', () => {
  it('are restricted to their own scripts, and may not be framed', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    const page = await fetch(`${api.url}/docs/`);
    const html = await page.text();

    expect(page.status).toBe(200);
    for (const name of pageHeaders)
      expect({ name, value: page.headers.get(name) }).not.toMatchObject({ value: null });
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
    // The page contains nothing that the policy forbids, so that it works under it.
    const scripts = [...html.matchAll(/<script([^>]*)>/g)].map(([, attributes]) => attributes ?? '');
    expect(scripts.length).toBeGreaterThan(0);
    for (const attributes of scripts) {
      const src = /src="([^"]+)"/.exec(attributes)?.[1] ?? '';
      expect(new URL(src, page.url).origin).toBe(api.url);
      const script = await fetch(new URL(src, page.url));
      expect(script.status).toBe(200);
      // A body that is not read to its end would keep its connection, and the server, open.
      await script.text();
    }
    expect(html).not.toMatch(/\son\w+=/);
  });

  it('are the only answers with such headers: JSON has none of them', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    const answers = await Promise.all([
      api.request('GET', '/api/products'),
      api.request('GET', '/openapi.json'),
      api.request('POST', '/api/users'),
      api.request('POST', '/api/purchase', { body: {} }),
      api.request('GET', '/nowhere'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 400, 404]);
    for (const { headers } of answers) expect(pageHeaders.filter(name => headers.has(name))).toEqual([]);
  });
});

describe('/.well-known/security.txt', () => {
  it('names the security contact, for the next three months', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { SECURITY_CONTACT: 'mailto:security@shop.example' });
    const answer = await fetch(`${api.url}/.well-known/security.txt`);
    const text = await answer.text();

    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text).toMatch(
      /^Contact: mailto:security@shop\.example\nExpires: \d{4}-\d\d-\d\dT00:00:00\.000Z\nPreferred-Languages: en\n$/,
    );
    const expiresInDays = (Date.parse(/Expires: (.*)/.exec(text)?.[1] ?? '') - Date.now()) / 86_400_000;
    expect(expiresInDays).toBeGreaterThan(88);
    expect(expiresInDays).toBeLessThan(91);
  });

  it('is 404 without a contact', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url);
    expect(await api.request('GET', '/.well-known/security.txt')).toMatchObject({
      status: 404,
      slug: 'not-found',
    });
  });

  it.each([
    'security@shop.example',
    'http://shop.example',
    'mailto:',
    'https://a b',
    'mailto:a@b\nContact: c',
  ])('takes a URI: %j is refused at startup', contact => {
    expect(() => testConfig({ SECURITY_CONTACT: contact })).toThrow(/SECURITY_CONTACT: expected mailto:/);
  });
});
