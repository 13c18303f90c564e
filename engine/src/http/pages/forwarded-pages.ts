import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { ReadPictureOrigins } from '../../catalog/picture-origins.js';
import { sendBusy } from './busy-page.js';
import { takesGzip } from './compress-page.js';
import { pagePathOf } from './page-path.js';
import { createWebProcess, type Page, TooManyPages } from './web-process.js';

/** Forwards requests for pages of the shop and console to the web process that renders them. */
export type ForwardedPages = {
  /** Whether a request that matches no route of the API is for a page. */
  takes(request: FastifyRequest): boolean;
  /** Whether the answer is a part of a page that is cached here, so that it costs no more than a refusal. */
  isKeptPart(request: FastifyRequest): boolean;
  answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  close(): Promise<void>;
};

// The browser itself updates the moving parts of a page, at once.
const pageKeptMs = 1000;
// Named by its content, so it never goes stale.
const immutableKeptMs = 3_600_000;
// Some 20 kB each: 10 MB. A path longer than that of any page is not kept.
const keptMax = 500;
const sharedPathMax = 200;

/**
 * Forwards requests for pages, so that pages and API share one origin. It forwards nothing that identifies the reader:
 * pages are the same for everyone, and the browser fetches what belongs to one shopper. So a page that thousands open
 * in the same second is rendered, confined and compressed once for all of them.
 *
 * @param webUrl the web process, such as http://127.0.0.1:3001
 */
export function createForwardedPages(webUrl: string, readPictureOrigins: ReadPictureOrigins): ForwardedPages {
  const web = createWebProcess(webUrl, readPictureOrigins);
  const kept = new LRUCache<string, Promise<Page>>({ max: keptMax });

  function fetchShared(key: string, request: FastifyRequest, path: string): Promise<Page> {
    const known = kept.get(key);
    if (known) return known;
    const page = web.fetchPage(request, path);
    kept.set(key, page, { ttl: isPart(path) ? immutableKeptMs : pageKeptMs });
    const forget = () => void (kept.peek(key) === page && kept.delete(key));
    page.then(({ statusCode }) => statusCode !== 200 && forget(), forget);
    return page;
  }

  return {
    takes: ({ method, url }) => (method === 'GET' || method === 'HEAD') && pathOf(url) !== undefined,
    isKeptPart(request) {
      // Checked before the path is parsed, because this runs for every call of the API.
      if (!isPart(request.url)) return false;
      const path = pathOf(request.url);
      return path !== undefined && isPart(path) && kept.has(sharedKeyOf(request, path));
    },
    async answer(request, reply) {
      const path = pathOf(request.url) ?? '/';
      try {
        const page = await (readsMore(request, path)
          ? web.fetchPage(request, path + queryOf(request.url))
          : fetchShared(sharedKeyOf(request, path), request, path));
        return reply.code(page.statusCode).headers(page.headers).send(page.body);
      } catch (error) {
        return sendBusy(request, reply, error instanceof TooManyPages ? 'overloaded' : 'unavailable');
      }
    },
    close: web.close,
  };
}

/** The path of a page; undefined for paths of the API. */
function pathOf(url: string): string | undefined {
  const path = pagePathOf(url);
  return path === undefined || /^\/api(\/|$)/.test(path) ? undefined : path;
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
}

/**
 * Whether the answer depends on more than the path, so that it cannot be shared. This holds for requests of Next's own
 * navigation, and for pages of the console, which keep their filters in the query. Pages of the shop read no query.
 */
function readsMore({ url, headers }: FastifyRequest, path: string): boolean {
  if (isPart(path)) return false;
  const isFiltered = path.startsWith('/admin') && url.includes('?');
  return headers.rsc !== undefined || isFiltered || path.length > sharedPathMax;
}

function sharedKeyOf({ headers }: FastifyRequest, path: string): string {
  return `${takesGzip(headers['accept-encoding']) ? 'gzip' : 'as it is'} ${path}`;
}

/** Whether Next names this path by its content. */
function isPart(path: string): boolean {
  return path.startsWith('/_next/static/');
}
