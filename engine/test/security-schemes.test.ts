import { randomUUID } from 'node:crypto';
import { exportSPKI } from 'jose';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import type { ExampleCall } from './support/api-examples.js';
import { createTestDatabase } from './support/database.js';
import { calls, operatorHeaders, signatureOf, startForExamples } from './support/example-engine.js';
import { audience, createKey, signToken } from './support/issuer.js';

type Headers = Record<string, string>;
/** The headers that a caller presents, and the schemes of /openapi.json that they satisfy. */
type Credential = { name: string; schemes: string[]; headers: Headers };

it('each call accepts exactly the credentials that /openapi.json names for it', async () => {
  const { api } = await startForExamples({ ENABLE_REHEARSAL: 'false' });
  expect(await mistakesIn(api, calls)).toEqual([]);
  expect(Object.keys(calls).length).toBeGreaterThan(60);

  const { getOrder, audit } = calls;
  if (!getOrder || !audit) throw new Error('/openapi.json does not describe getOrder or audit');
  const control = { getOrder: { ...getOrder, ways: [] }, audit: { ...audit, ways: [['apiKey']] } };
  expect(await mistakesIn(api, control)).toEqual(
    expect.arrayContaining([
      'getOrder by nobody: not-authenticated',
      'audit by API key: forbidden',
      'audit by operator secret: let in',
    ]),
  );
});

it("a token from the shop's issuer is accepted exactly where /openapi.json names it", async () => {
  const { url } = await createTestDatabase();
  const key = await createKey('examples');
  const issuer = 'https://id.example';
  const env = { IDENTITY: 'jwt', JWT_ISSUER: issuer, JWT_AUDIENCE: audience };
  const api = await startTestApi(url, { ...env, JWT_PUBLIC_KEY: await exportSPKI(key.publicKey) });
  const headers = { authorization: `Bearer ${await signToken(key, issuer)}` };
  const named = Object.entries(calls).filter(([, { ways }]) => ways.flat().includes('shopperJwt'));
  const letIn: string[] = [];
  for (const [name, call] of Object.entries(calls)) {
    if (call.ways.length > 0 && isLetIn(await send(api, call, headers))) letIn.push(name);
  }
  expect(letIn).toEqual(named.map(([name]) => name));
});

/** Calls that accept or refuse a credential contrary to their description. */
async function mistakesIn(api: TestApi, described: Record<string, ExampleCall>): Promise<string[]> {
  const mistakes: string[] = [];
  for (const [name, call] of Object.entries(described)) {
    for (const { name: caller, schemes, headers } of await credentialsFor(api, call)) {
      const { ways } = call;
      const isNamed = ways.length === 0 || ways.some(way => way.every(scheme => schemes.includes(scheme)));
      const slug = await send(api, call, headers);
      if (isNamed !== isLetIn(slug)) mistakes.push(`${name} by ${caller}: ${slug ?? 'let in'}`);
    }
  }
  return mistakes;
}

const kept = new Set(['not-authenticated', 'forbidden', 'forbidden-origin', 'csrf']);

/** Any other refusal means that the call accepted the credential. */
function isLetIn(slug: string | undefined): boolean {
  return slug === undefined || !kept.has(slug);
}

const problemSchema = z.object({ type: z.string() });

/** @returns the slug of a refusal. */
async function send(api: TestApi, call: ExampleCall, headers: Headers): Promise<string | undefined> {
  const id = /orders|sessions/.test(call.path) ? randomUUID() : '1';
  const response = await fetch(`${api.url}${call.path.replace(/\{\w+\}/g, id)}${queries[call.path] ?? ''}`, {
    method: call.method,
    headers: { ...(call.hasBody && { 'content-type': 'application/json' }), ...headers },
    ...(call.hasBody && { body: JSON.stringify(call.body) }),
  });
  if (response.ok) await response.body?.cancel();
  return response.ok
    ? undefined
    : problemSchema
        .parse(await response.json())
        .type.split('/')
        .at(-1);
}

const queries: Record<string, string> = {
  '/api/precheck': '?productId=1',
  '/api/challenge': '?productId=1',
  '/api/purchase-token': '?productId=1',
};

/** Creates new credentials for each call, because a call may end the session that it is made with. */
async function credentialsFor(api: TestApi, { method, hasBody, body }: ExampleCall): Promise<Credential[]> {
  const demo = await signIn(api, '/api/session');
  const operator = await signIn(api, '/api/admin/session', calls.signIn?.body);
  // Signing out ends the session that the call is made with.
  const other = await signIn(api, '/api/admin/session', calls.signIn?.body);
  // A cookie is sent by a page of the API's own origin; a client other than a browser sends no Origin.
  const ownPage = { origin: api.url };
  // A cookie alone is enough for a read.
  const withToken = method === 'GET' ? [] : ['csrfToken'];
  return [
    { name: 'nobody', schemes: [], headers: {} },
    { name: 'API key', schemes: ['apiKey'], headers: { ...serviceHeaders, 'x-user-id': 'alice' } },
    { name: 'demo token', schemes: ['demoToken'], headers: { authorization: `Bearer ${demo.token}` } },
    { name: 'demo cookie', schemes: ['demoCookie'], headers: { cookie: demo.cookie, ...ownPage } },
    {
      name: 'demo cookie with CSRF token',
      schemes: ['demoCookie', ...withToken],
      headers: { cookie: demo.cookie, 'x-csrf-token': demo.csrfToken },
    },
    { name: 'operator secret', schemes: ['operatorSecret'], headers: operatorHeaders },
    {
      name: 'operator cookie',
      schemes: ['operatorCookie'],
      headers: { cookie: operator.cookie, ...ownPage },
    },
    {
      name: 'operator cookie with CSRF token',
      schemes: ['operatorCookie', ...withToken],
      headers: { cookie: other.cookie, 'x-csrf-token': other.csrfToken },
    },
    { name: 'CSRF token alone', schemes: withToken, headers: { 'x-csrf-token': operator.csrfToken } },
    { name: 'sandbox', schemes: ['sandboxSignature'], headers: signatureOf(hasBody ? body : undefined) },
  ];
}

async function signIn(api: TestApi, path: string, body?: unknown) {
  const answer: Answer = await api.request('POST', path, { body, headers: {} });
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { cookie, token: String(answer.body.token), csrfToken: String(answer.body.csrfToken) };
}
