import Fastify from 'fastify';
import { z } from 'zod';

const operationSchema = z.looseObject({
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}) })) })
    .optional(),
});
type Operation = z.infer<typeof operationSchema>;

const descriptionSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.unknown(),
});

export type Call = { method: string; path: string; headers?: string[]; body?: string | undefined };

export type Judge = (call: Call) => Promise<string | undefined>;

/**
 * Checks a call against the API's own description, and reports what is wrong with its path, method, query, or body.
 */
export function createJudge(description: unknown): Judge {
  const { paths, components } = descriptionSchema.parse(description);
  const routes = Object.entries(paths).map(([path, operations]) => ({
    pattern: patternOf(path),
    operations,
  }));
  return async ({ method, path, headers = [], body }) => {
    const [pathname = '', query = ''] = path.split('?', 2);
    const matching = routes.filter(({ pattern }) => pattern.test(pathname));
    if (matching.length === 0) return `there is no ${pathname}`;
    const operation = matching.flatMap(({ operations }) => operations[method.toLowerCase()] ?? [])[0];
    if (!operation) return `${pathname} takes no ${method}`;
    const known = operation.parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name);
    const stranger = [...new URLSearchParams(query).keys()].find(name => !known.includes(name));
    if (stranger !== undefined) return `${method} ${pathname} has no parameter ${stranger}`;
    if (body === undefined) return undefined;
    if (!headers.some(header => /^content-type: *application\/json$/i.test(header)))
      return `${method} ${pathname}: the body has no JSON content type`;
    return problemOfBody(operation, components, body);
  };
}

/** A parameter matches any text, including its own name, such as `:id`. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
}

async function problemOfBody(
  { requestBody }: Operation,
  components: unknown,
  body: string,
): Promise<string | undefined> {
  const schema = requestBody?.content['application/json']?.schema;
  if (!schema) return 'it accepts no body';
  const customOptions = { coerceTypes: false, removeAdditional: false, strict: false } as const;
  const server = Fastify({ ajv: { customOptions } });
  try {
    server.post('/', { schema: { body: { ...schema, components } } }, async () => 'taken');
    const answer = await server.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return answer.statusCode === 200 ? undefined : `its body: ${answer.json().message}`;
  } finally {
    await server.close();
  }
}

/** What curl would call. @throws on an option that no document uses yet. */
export function readCurl(words: readonly string[]): Call & { url: URL } {
  const rest = [...words];
  const headers: string[] = [];
  let method: string | undefined;
  let body: string | undefined;
  let address = '';
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '-X' || word === '--request') method = rest.shift();
    else if (word === '-H' || word === '--header') headers.push(rest.shift() ?? '');
    else if (word === '-d' || word === '--data') body = rest.shift();
    else if (word === '-o' || word === '--output') rest.shift();
    else if (word === '--fail' || /^-[sSfiN]+$/.test(word)) continue;
    else if (word.startsWith('-')) throw new Error(`curl ${word} is not known to this test`);
    else address = word;
  }
  const url = new URL(address);
  method ??= body === undefined ? 'GET' : 'POST';
  return { method, headers, body, url, path: `${url.pathname}${url.search}` };
}
