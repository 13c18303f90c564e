import { request as httpRequest } from 'node:http';
import { expect } from 'vitest';
import { startTestApi, type TestApi } from './api.js';
import { createTestDatabase } from './database.js';
import { createTestSale } from './sale.js';

/** An origin that CORS_ORIGIN may allow, and one that it never allows. */
export const shop = 'https://shop.example';
export const evil = 'https://evil.example';

export async function startWithDemoShoppers(env: Record<string, string> = {}) {
  const { url, pool } = await createTestDatabase();
  const { productId } = await createTestSale(pool, { perUserLimit: 100 });
  const api = await startTestApi(url, { IDENTITY: 'demo', ...env });
  return { api, pool, productId };
}

export async function openSession(api: TestApi) {
  const { status, headers, body } = await api.request('POST', '/api/session', { headers: {} });
  expect(status).toBe(201);
  const setCookie = headers.getSetCookie();
  const cookie = setCookie.map(text => text.split(';')[0]).join('; ');
  return { setCookie, cookie, token: String(body.token), csrfToken: String(body.csrfToken) };
}

/** Uses node:http, because fetch() does not send headers that only browsers may set. */
export function send(
  api: TestApi,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
) {
  type Sent = {
    status: number;
    slug: string | undefined;
    headers: Record<string, string | string[] | undefined>;
  };
  return new Promise<Sent>((resolve, reject) => {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = httpRequest(`${api.url}${path}`, { method, headers: { ...json, ...headers } }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', part => {
        text += part;
      });
      response.on('end', () => {
        const [, slug] = /"\/problems\/([a-z-]+)"/.exec(text) ?? [];
        resolve({ status: response.statusCode ?? 0, slug, headers: response.headers });
      });
    });
    sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}
