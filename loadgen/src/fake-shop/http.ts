import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', 511, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The fake shop has no port.');
  return address.port;
}

export async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? null : JSON.parse(text);
}

export function numberIn(body: unknown, name: string): number {
  const value: unknown = Object(body)[name];
  if (typeof value !== 'number') throw new Error(`${name} is not a number.`);
  return value;
}

export function stringIn(body: unknown, name: string): string {
  const value: unknown = Object(body)[name];
  if (typeof value !== 'string') throw new Error(`${name} is not a string.`);
  return value;
}

export function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function problem(response: ServerResponse, status: number, slug: string): void {
  const body = {
    type: `https://doorbuster.dev/problems/${slug}`,
    title: slug,
    status,
    success: false,
    message: slug,
  };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
