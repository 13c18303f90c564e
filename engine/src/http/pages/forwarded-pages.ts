import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { type Dispatcher, Pool } from 'undici';
import type { ReadPictureOrigins } from '../../catalog/picture-origins.js';
import { sendProblem } from '../answers/send-problem.js';
import { compress, isCompressible, takesGzip } from './compress-page.js';
import { pagePathOf } from './page-path.js';
import { askForNonce, createRenderNonce, pageHeaders, policyOf, policyOfPlainPage } from './page-policy.js';

/** The pages of the shop, which a web process renders. */
export type ForwardedPages = {
  /** Whether a request that no route of the API takes is for a page. */
  takes(request: FastifyRequest): boolean;
  /** Whether the answer is a part of a page that is kept here, so that it costs no more than a refusal. */
  isKeptPart(request: FastifyRequest): boolean;
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  close(): Promise<void>;
};

// A page takes a few milliseconds of one processor, so that more at once only make each other wait.
const connectionsMax = 32;
// Some seconds of rendering; whoever comes on top is told to come back.
const inFlightMax = 512;
// A page that has not begun by then has lost its reader.
const headersTimeoutMs = 5000;
const bodyTimeoutMs = 10_000;
// What moves on a page is brought up to date by the browser itself, at once.
const pageKeptMs = 1000;
// Named by its content: it is right for as long as it is kept.
const immutableKeptMs = 3_600_000;
// Some 20 kB each: 10 MB. A path that is longer than any page's is not kept.
const keptMax = 500;
const sharedPathMax = 200;

/**
 * Forwards requests for pages, one origin for pages and API. Nothing that says who is asking goes along: pages are the
 * same for everybody, and what is a shopper's own is fetched by the browser. So a page that thousands open in the same
 * second is rendered, confined and compressed once for all of them.
 *
 * @param webUrl the web process, such as http://127.0.0.1:3001
 */
export function createForwardedPages(webUrl: string, readPictureOrigins: ReadPictureOrigins): ForwardedPages {
  const pool = new Pool(webUrl, {
    connections: connectionsMax,
    headersTimeout: headersTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
    connect: { timeout: headersTimeoutMs },
  });
  const kept = new LRUCache<string, Promise<Page>>({ max: keptMax });
  let inFlight = 0;

  async function fetchPage(request: FastifyRequest, path: string): Promise<Page> {
    if (inFlight >= inFlightMax) throw new TooManyPages();
    inFlight += 1;
    try {
      const nonce = createRenderNonce();
      const { statusCode, headers, body } = await pool.request({
        path,
        method: 'GET',
        headers: {
          ...pick(request.headers, requestHeaders),
          'content-security-policy': askForNonce(nonce),
        },
      });
      // Whole, and not as a stream: the largest is a script of some 200 kB, and a slow reader holds no connection.
      const rendered = {
        statusCode,
        headers: { ...pick(headers, responseHeaders), ...pageHeaders },
        body: Buffer.from(await body.arrayBuffer()),
      };
      return await finishPage(rendered, nonce, takesGzip(request.headers['accept-encoding']));
    } finally {
      inFlight -= 1;
    }
  }

  async function finishPage(page: Page, nonce: string, isZipped: boolean): Promise<Page> {
    const { headers, body } = page;
    const type = headers['content-type'];
    if (typeof type === 'string' && type.startsWith('text/html')) {
      headers['content-security-policy'] = policyOf(String(body), nonce, await readPictureOrigins());
    }
    if (!isCompressible(type, body.length)) return page;
    headers.vary = [headers.vary ?? [], 'accept-encoding'].flat().join(', ');
    if (!isZipped) return page;
    const { 'content-length': _, ...others } = headers;
    return { ...page, headers: { ...others, 'content-encoding': 'gzip' }, body: await compress(body) };
  }

  function fetchShared(key: string, request: FastifyRequest, path: string): Promise<Page> {
    const known = kept.get(key);
    if (known) return known;
    const page = fetchPage(request, path);
    kept.set(key, page, { ttl: isPart(path) ? immutableKeptMs : pageKeptMs });
    const forget = () => void (kept.peek(key) === page && kept.delete(key));
    page.then(({ statusCode }) => statusCode !== 200 && forget(), forget);
    return page;
  }

  return {
    takes: ({ method, url }) => (method === 'GET' || method === 'HEAD') && pathOf(url) !== undefined,
    isKeptPart(request) {
      // Before the path is read: every call of the API is asked.
      if (!isPart(request.url)) return false;
      const path = pathOf(request.url);
      return path !== undefined && isPart(path) && kept.has(sharedKeyOf(request, path));
    },
    async answer(request, reply) {
      const path = pathOf(request.url) ?? '/';
      try {
        const page = await (readsMore(request, path)
          ? fetchPage(request, path + queryOf(request.url))
          : fetchShared(sharedKeyOf(request, path), request, path));
        return reply.code(page.statusCode).headers(page.headers).send(page.body);
      } catch (error) {
        return sendBusy(request, reply, error instanceof TooManyPages ? 'overloaded' : 'unavailable');
      }
    },
    close: () => pool.close(),
  };
}

type Page = { statusCode: number; headers: Record<string, string | string[]>; body: Buffer };

class TooManyPages extends Error {}

/** The path of a page; those of the API are none. */
function pathOf(url: string): string | undefined {
  const path = pagePathOf(url);
  return path === undefined || /^\/api(\/|$)/.test(path) ? undefined : path;
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/**
 * Whether the answer depends on more than the path, so that it cannot be shared: what Next's own navigation asks for, and
 * pages of the console, which keep their filters in the query. Pages of the shop read no query.
 */
function readsMore({ url, headers }: FastifyRequest, path: string): boolean {
  if (isPart(path)) return false;
  const isFiltered = path.startsWith('/admin') && url.includes('?');
  return headers.rsc !== undefined || isFiltered || path.length > sharedPathMax;
}

function sharedKeyOf({ headers }: FastifyRequest, path: string): string {
  return `${takesGzip(headers['accept-encoding']) ? 'gzip' : 'as it is'} ${path}`;
}

/** Next names these by their content. */
function isPart(path: string): boolean {
  return path.startsWith('/_next/static/');
}

// The content's negotiation, and what Next's own navigation asks with. No cookie, no authorization. Nor what a browser has
// kept: an answer without a body could not be shared.
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

/** People get a page that tries again by itself, programs a problem. */
export function sendBusy(
  request: FastifyRequest,
  reply: FastifyReply,
  slug: 'overloaded' | 'unavailable',
): FastifyReply {
  if (!request.headers.accept?.includes('text/html')) return sendProblem(reply, slug);
  return reply
    .code(503)
    .header('retry-after', '3')
    .header('cache-control', 'no-store')
    .headers({ ...pageHeaders, 'content-security-policy': busyPolicy })
    .type('text/html; charset=utf-8')
    .send(busyPage);
}

const busyStyle =
  ':root{color-scheme:light dark}body{font:1.25rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem}';
const busyPolicy = policyOfPlainPage(busyStyle);
const busyPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width"><title>One moment</title>
<style>${busyStyle}</style>
</head><body><h1>One moment.</h1>
<p>The shop is busy or just starting. This page tries again by itself; orders that were accepted are safe.</p></body></html>
`;
