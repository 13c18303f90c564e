import pino from 'pino';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type AppOptions, startApp } from '../../src/app/app.js';
import { apiKey, operatorToken, secrets, testConfig } from './config.js';

const bodySchema = z.looseObject({
  type: z.string().optional(),
  order: z.looseObject({ id: z.string(), remainingStock: z.number() }).optional(),
});

export type Answer = {
  status: number;
  slug: string | undefined;
  headers: Headers;
  body: z.infer<typeof bodySchema>;
};

export type TestApi = {
  url: string;
  metricsUrl: string | undefined;
  /** Any request; sends the API key unless other headers are given. */
  request(
    method: string,
    path: string,
    options?: { body?: unknown; headers?: Record<string, string> },
  ): Promise<Answer>;
  purchase(purchase: { productId: number; userId: string; quantity?: number; key?: string }): Promise<Answer>;
  asOperator(method: string, path: string, body?: unknown): Promise<Answer>;
  drain(): Promise<void>;
};

export const serviceHeaders = { authorization: `Bearer ${apiKey}` };
export const operatorHeaders = { authorization: `Bearer ${operatorToken}` };

/** The whole API in this process, on a free port; drained when the test ends. */
export async function startTestApi(
  databaseUrl: string,
  env: Record<string, string> = {},
  options: Partial<AppOptions> = {},
): Promise<TestApi> {
  const logger = pino({ level: 'silent' });
  const app = await startApp({
    roles: ['api'],
    config: testConfig(env),
    secrets,
    databaseUrl,
    logger,
    ...options,
  });
  onTestFinished(() => app.drain());
  const { url } = app;
  if (url === undefined) throw new Error('the test requires an API');
  const request: TestApi['request'] = (method, path, { body, headers = serviceHeaders } = {}) =>
    send(`${url}${path}`, method, body, headers);
  return {
    url,
    metricsUrl: app.metricsUrl,
    drain: app.drain,
    request,
    purchase: ({ key, ...body }) =>
      request('POST', '/api/purchase', {
        body,
        headers: key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key },
      }),
    asOperator: (method, path, body) => request(method, path, { body, headers: operatorHeaders }),
  };
}

async function send(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = bodySchema.parse(text === '' ? {} : JSON.parse(text));
  return {
    status: response.status,
    slug: parsed.type?.split('/').at(-1),
    headers: response.headers,
    body: parsed,
  };
}
