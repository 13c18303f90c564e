import { z } from 'zod';
import { differencesFrom } from './example-differences.js';

const contentSchema = z.record(z.string(), z.looseObject({ example: z.unknown().optional() })).default({});
const operationSchema = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.string(), example: z.string().optional() }))
    .default([]),
  requestBody: z.looseObject({ content: contentSchema }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: contentSchema })),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({
    examples: z.record(z.string(), z.object({ summary: z.string(), value: z.unknown() })),
  }),
});

/** A call of /openapi.json, with the examples of its request and of its answers. */
export type ExampleCall = {
  method: string;
  path: string;
  /** Each element is a set of credentials that lets a caller in; without elements, every caller is let in. */
  ways: string[][];
  headers: Record<string, string>;
  hasBody: boolean;
  body: unknown;
  /**
   * By status and media type, such as `200 application/json`; only the status if there is no body. Refusals are left
   * out.
   */
  answers: Record<string, unknown>;
};

/** What is sent along with an example. */
export type Sending = {
  path?: Record<string, string | number>;
  query?: string;
  headers?: Record<string, string>;
  /** What is compared; `types` if every value differs from run to run. */
  mode?: 'values' | 'types';
};

/** The calls of an /openapi.json, by operationId. */
export function callsOf(document: unknown): Record<string, ExampleCall> {
  const { paths } = documentSchema.parse(document);
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        operation.operationId,
        callOf(method.toUpperCase(), path, operation),
      ]),
    ),
  );
}

/** The example of each problem, by slug. */
export function problemExamplesOf(document: unknown): Record<string, unknown> {
  const { examples } = documentSchema.parse(document).components;
  return Object.fromEntries(Object.entries(examples).map(([slug, { value }]) => [slug, value]));
}

function callOf(method: string, path: string, operation: z.infer<typeof operationSchema>): ExampleCall {
  const { security, parameters, requestBody, responses } = operation;
  const json = requestBody?.content['application/json'];
  const headers = parameters.flatMap(({ name, in: place, example }) =>
    place === 'header' && example !== undefined ? [[name, example]] : [],
  );
  const answers = Object.entries(responses).flatMap(([status, { content }]) => {
    const media = Object.entries(content).filter(([type]) => type !== 'application/problem+json');
    if (status === '204') return [[status, undefined]];
    return media.map(([type, { example }]) => [`${status} ${type}`, readAs(type, example)]);
  });
  return {
    method,
    path,
    hasBody: json !== undefined,
    body: json?.example,
    ways: security.map(way => Object.keys(way)),
    headers: Object.fromEntries(headers),
    answers: Object.fromEntries(answers),
  };
}

/** Sends the example of a call. @returns which answer came, its content, and where that differs from its example. */
export async function sendExample(
  url: string,
  call: ExampleCall,
  { path = {}, query = '', headers = {}, mode = 'values' }: Sending,
) {
  const address = call.path.replace(/\{(\w+)\}/g, (_, name: string) => String(path[name]));
  const response = await fetch(`${url}${address}${query}`, {
    method: call.method,
    headers: { ...(call.hasBody && { 'content-type': 'application/json' }), ...call.headers, ...headers },
    ...(call.hasBody && { body: JSON.stringify(call.body) }),
  });
  const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const key = response.status === 204 ? '204' : `${response.status} ${type}`;
  const text = type === 'text/event-stream' ? await firstEventOf(response) : await response.text();
  const answer = key === '204' ? undefined : readAs(type, text);
  const differences =
    key in call.answers
      ? differencesFrom(call.answers[key], answer, { at: key, mode })
      : [`${key} has no example: ${text}`];
  return { key, answer, differences, cookies: response.headers.getSetCookie() };
}

async function firstEventOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (/^data: .*\n\n/m.test(text)) break;
  }
  return text;
}

/**
 * JSON, the rows of CSV as objects, the data of the first event of a stream. Anything but text has already been read.
 */
function readAs(type: string, text: unknown): unknown {
  if (typeof text !== 'string') return text;
  if (type === 'text/csv') return rowsOf(text);
  if (type === 'text/event-stream') return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null');
  return text === '' ? undefined : JSON.parse(text);
}

function rowsOf(csv: string) {
  const [header = '', ...lines] = csv.trimEnd().split('\r\n');
  const names = header.split(',');
  return lines.map(line => Object.fromEntries(line.split(',').map((cell, column) => [names[column], cell])));
}
