import type { FastifyRequest } from 'fastify';
import { type Dispatcher, Pool } from 'undici';
import type { ReadPictureOrigins } from '../../catalog/picture-origins.js';
import { compress, isCompressible, takesGzip } from './compress-page.js';
import { askForNonce, createRenderNonce, pageHeaders, policyOf } from './page-policy.js';

export type Page = { statusCode: number; headers: Record<string, string | string[]>; body: Buffer };

/** Fetches pages from the web process, confined by a policy and compressed for readers that accept it. */
export type WebProcess = {
  /** @throws TooManyPages, or the error that kept the web process from answering. */
  fetchPage(request: FastifyRequest, path: string): Promise<Page>;
  close(): Promise<void>;
};

export class TooManyPages extends Error {}

// A page takes a few milliseconds of one processor, so more at once would only wait for each other.
const connectionsMax = 32;
// A few seconds of rendering; further requests are told to come back.
const inFlightMax = 512;
// By then, the reader of a page whose rendering has not begun has left.
const headersTimeoutMs = 5000;
const bodyTimeoutMs = 10_000;

export function createWebProcess(webUrl: string, readPictureOrigins: ReadPictureOrigins): WebProcess {
  const pool = new Pool(webUrl, {
    connections: connectionsMax,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    connect: { timeout: headersTimeoutMs },
  });
  let inFlight = 0;

  async function render(request: FastifyRequest, path: string, nonce: string): Promise<Page> {
    const { statusCode, headers, body } = await pool.request({
      path,
      method: 'GET',
      headers: { ...pick(request.headers, requestHeaders), 'content-security-policy': askForNonce(nonce) },
    });
    return {
      statusCode,
      headers: { ...pick(headers, responseHeaders), ...pageHeaders },
      // Buffered, not streamed: the largest is a script of some 200 kB, and a slow reader then holds no connection.
      body: Buffer.from(await body.arrayBuffer()),
    };
  }

  async function confine({ headers, body }: Page, nonce: string): Promise<void> {
    const type = headers['content-type'];
    if (typeof type !== 'string' || !type.startsWith('text/html')) return;
    headers['content-security-policy'] = policyOf(String(body), nonce, await readPictureOrigins());
  }

  return {
    async fetchPage(request, path) {
      if (inFlight >= inFlightMax) throw new TooManyPages();
      inFlight += 1;
      try {
        const nonce = createRenderNonce();
        const page = await render(request, path, nonce);
        await confine(page, nonce);
        return await compressed(page, takesGzip(request.headers['accept-encoding']));
      } finally {
        inFlight -= 1;
      }
    },
    close: () => pool.close(),
  };
}

async function compressed(page: Page, isZipped: boolean): Promise<Page> {
  const { headers, body } = page;
  if (!isCompressible(headers['content-type'], body.length)) return page;
  headers.vary = [headers.vary ?? [], 'accept-encoding'].flat().join(', ');
  if (!isZipped) return page;
  const { 'content-length': _, ...others } = headers;
  return { ...page, headers: { ...others, 'content-encoding': 'gzip' }, body: await compress(body) };
}

// Content negotiation, and the headers of Next's own navigation. No cookie and no authorization. No conditional headers
// either: an answer without a body could not be shared.
const requestHeaders = [
  ...['accept', 'accept-language', 'user-agent'],
  ...['rsc', 'next-router-state-tree', 'next-router-prefetch', 'next-router-segment-prefetch', 'next-url'],
];

const responseHeaders = [
  ...['content-type', 'content-length', 'cache-control', 'etag', 'last-modified', 'vary', 'location', 'link'],
  ...['x-nextjs-postponed', 'x-nextjs-stale-time', 'x-nextjs-prerender'],
];

function pick(
  headers: Dispatcher.ResponseData['headers'],
  names: readonly string[],
): Record<string, string | string[]> {
  const picked: Record<string, string | string[]> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
