import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { listenUntilTestEnds } from './support/listen.js';

describe('pages of the shop', () => {
  it('come from the web process, which learns nothing about the caller', async () => {
    const asked: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
    const web = await startWeb(({ url, headers }, response) => {
      asked.push({ url, headers });
      response
        .setHeader('set-cookie', 'theirs=1')
        .setHeader('content-type', 'text/html')
        .end('<h1>Drops</h1>');
    });
    const { url } = await startApi(web);
    const response = await fetch(`${url}/drops/1?from=mail`, {
      headers: { accept: 'text/html', cookie: 'doorbuster_session=secret', authorization: 'Bearer secret' },
    });
    expect([response.status, await response.text()]).toEqual([200, '<h1>Drops</h1>']);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe('/drops/1');
    expect(asked[0]?.headers).toMatchObject({ accept: 'text/html' });
    expect(JSON.stringify(asked)).not.toContain('secret');
  });

  it('run only the scripts they were rendered with, and are compressed once for all readers', async () => {
    let renderings = 0;
    const web = await startWeb(({ headers }, response) => {
      renderings += 1;
      const [, nonce] = /'nonce-([^']+)'/.exec(String(headers['content-security-policy'])) ?? [];
      response
        .setHeader('content-type', 'text/html; charset=utf-8')
        .end(
          `<script>planted()</script><script nonce="${nonce}">own(${renderings})</script>${'<p>Drops</p>'.repeat(100)}`,
        );
    });
    const { url } = await startApi(web);
    const read = async (encoding: string) => {
      const response = await fetch(url, {
        headers: { 'accept-encoding': encoding, 'content-security-policy': "script-src 'nonce-mine'" },
      });
      return { headers: response.headers, text: await response.text() };
    };
    const zipped = await Promise.all(['gzip, br', 'gzip', 'deflate, GZIP;q=0.5'].map(read));
    const plain = await Promise.all(['br', 'gzip;q=0', ''].map(read));

    // Whatever encodings readers accept, there are two versions of each page.
    expect(renderings).toBe(2);
    for (const { headers, text } of [...zipped, ...plain]) {
      const [own = ''] = /own\(\d\)/.exec(text) ?? [];
      const hash = createHash('sha256').update(own).digest('base64');
      expect(headers.get('content-security-policy')).toContain(`script-src 'self' 'sha256-${hash}';`);
      expect(headers.get('vary')).toBe('accept-encoding');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(zipped.map(({ headers }) => headers.get('content-encoding'))).toEqual(['gzip', 'gzip', 'gzip']);
    expect(plain.map(({ headers }) => headers.get('content-encoding'))).toEqual([null, null, null]);
  });

  it('are no way around the API: the API answers its own paths and all other methods', async () => {
    let requests = 0;
    const web = await startWeb((_request, response) => {
      requests += 1;
      response.end('page');
    });
    const { request } = await startApi(web);
    expect(await request('GET', '/api/nothing')).toMatchObject({ status: 404, slug: 'not-found' });
    expect(await request('GET', '/api')).toMatchObject({ status: 404, slug: 'not-found' });
    expect(await request('GET', '/api/purchase')).toMatchObject({ status: 405, slug: 'method-not-allowed' });
    expect(await request('POST', '/drops/1')).toMatchObject({ status: 404, slug: 'not-found' });
    expect((await request('HEAD', '/drops/1')).status).toBe(200);
    expect(requests).toBe(1);
  });

  it('are shared whatever a query, a HEAD or a conditional request specifies; the console’s filters are kept', async () => {
    const asked: (string | undefined)[] = [];
    const web = await startWeb(({ url }, response) => {
      asked.push(url);
      response.setHeader('etag', '"1"').end('page');
    });
    const { url } = await startApi(web);
    const startedAtMs = performance.now();
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, (_, n) => fetch(`${url}/drops/1?utm=${n}`)),
      fetch(`${url}/drops/1`, { method: 'HEAD' }),
      fetch(`${url}/drops/1`, { headers: { 'if-none-match': '"1"' } }),
      fetch(`${url}/%64rops/1`),
    ]);
    // On a slow machine they take more than one second, and each second has its own rendering.
    const seconds = Math.floor((performance.now() - startedAtMs) / 1000);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(asked.length).toBeLessThanOrEqual(1 + seconds);
    expect(new Set(asked)).toEqual(new Set(['/drops/1']));

    await fetch(`${url}/admin/orders?status=FAILED`);
    await fetch(`${url}/drops/1?_rsc=abc`, { headers: { rsc: '1' } });
    expect(asked.slice(-2)).toEqual(['/admin/orders?status=FAILED', '/drops/1?_rsc=abc']);
  });

  it('have one spelling: no other gets past the limit per address, or to the web process', async () => {
    const asked: (string | undefined)[] = [];
    const web = await startWeb(({ url }, response) => {
      asked.push(url);
      response.statusCode = url === '/_next/static/part.js' ? 200 : 404;
      response.end('{}');
    });
    const limit = 40;
    const { url } = await startApi(web, { RATE_LIMIT_IP_MAX: '1', RATE_LIMIT_IP_BURST: String(limit) });
    const disguises = ['..', '.', '%2e%2e', '.%2E', '..%2f..', '..\\..', '..%5C..', '', '%252e%252e'].map(
      segment => `/_next/static/${segment}/${segment}/drops/1`,
    );
    for (const path of disguises) expect([path, await statusOf(url, path)]).toEqual([path, 404]);
    expect(asked).toEqual([]);

    // An existing part is free once it is cached; a missing one counts each time, and so does every other spelling.
    expect(await statusOf(url, '/_next/static/part.js')).toBe(200);
    const free = await Promise.all(
      Array.from({ length: 2 * limit }, () => statusOf(url, '/_next/static/part.js?x')),
    );
    expect(new Set(free)).toEqual(new Set([200]));
    expect(asked).toEqual(['/_next/static/part.js']);
    const startedAtMs = performance.now();
    const invented = await Promise.all(
      Array.from({ length: 100 }, (_, n) => statusOf(url, `/_next/static/invented-${n}.js`)),
    );
    const seconds = Math.ceil((performance.now() - startedAtMs) / 1000);
    expect(invented.filter(status => status === 404).length).toBeLessThanOrEqual(limit + seconds);
    expect(await Promise.all(disguises.map(path => statusOf(url, path)))).toContain(429);
    expect(asked.length).toBeLessThanOrEqual(1 + limit + seconds);
  });

  it('are replaced by a page that reloads while the web process is down, and by a problem for programs', async () => {
    const web = await startWeb((_request, response) => void response.end());
    web.server.close();
    const { url, request } = await startApi(web);
    const page = await fetch(url, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '3']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await page.text()).toContain('http-equiv="refresh"');
    expect(await request('GET', '/')).toMatchObject({ status: 503, slug: 'unavailable' });
  });

  it('are rendered once per second for all readers, and a failed rendering is not cached', async () => {
    let renderings = 0;
    let status = 200;
    const web = await startWeb((_request, response) => {
      renderings += 1;
      response.statusCode = status;
      setTimeout(() => response.end(`rendering ${renderings}`), 50);
    });
    const { url } = await startApi(web);
    const read = async (headers = {}) => (await fetch(`${url}/drops/1`, { headers })).text();

    const startedAtMs = performance.now();
    await Promise.all(Array.from({ length: 200 }, () => read()));
    const elapsedMs = performance.now() - startedAtMs;
    // On a slow machine 200 requests take more than one second, and each second renders the page again.
    expect(renderings).toBeLessThanOrEqual(1 + Math.floor(elapsedMs / 1000));
    // Requests of Next's own navigation depend on the current page.
    const shared = renderings;
    expect(await read({ rsc: '1' })).toBe(`rendering ${shared + 1}`);
    await until('the page is rendered again', async () => (await read()) === `rendering ${shared + 2}`);
    status = 500;
    await until('the page fails', async () => (await fetch(`${url}/drops/1`)).status === 500, 20_000);
    status = 200;
    expect((await fetch(`${url}/drops/1`)).status).toBe(200);
  });

  it('are complete for a crowd behind one address: neither their parts nor calls of the web process count', async () => {
    const web = await startWeb((_request, response) => void response.end('{}'));
    const webKey = 'web-key-of-the-test-000000';
    const { url: databaseUrl } = await createTestDatabase();
    const { request } = await startTestApi(databaseUrl, {
      WEB_URL: web.url,
      WEB_KEY: webKey,
      RATE_LIMIT_IP_MAX: '1',
      RATE_LIMIT_IP_BURST: '2',
    });
    const ask = (path: string, headers: Record<string, string>) => request('GET', path, { headers });
    const statusesOf = async (path: string, headers = {}) => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(path, headers)));
      return new Set(answers.map(({ status }) => status));
    };
    // The first is requested from the web process and counts; the others come from memory.
    expect(await statusesOf('/_next/static/part.js')).toEqual(new Set([200]));
    expect(await statusesOf('/api/products', { 'x-web-key': webKey })).toEqual(new Set([200]));
    expect(await statusesOf('/api/products', { 'x-web-key': 'a-guess' })).toEqual(new Set([200, 429]));
    expect((await ask('/api/orders', { 'x-web-key': webKey })).slug).toBe('not-authenticated');
    expect((await ask('/api/admin/stats', { 'x-web-key': webKey })).status).not.toBe(200);
  });

  it('are bounded: a request beyond the queue is refused, and the API goes on', async () => {
    const waiting: (() => void)[] = [];
    const web = await startWeb((_request, response) => void waiting.push(() => response.end('late')));
    const { url, request } = await startApi(web);
    const all = Array.from({ length: 600 }, (_, id) =>
      fetch(`${url}/drops/${id}`).then(({ status }) => status),
    );
    const refused = await Promise.race(all);
    expect(refused).toBe(503);
    expect((await request('GET', '/api/health')).status).toBe(200);
    const release = setInterval(() => {
      for (const end of waiting.splice(0)) end();
    }, 20);
    const statuses = await Promise.all(all);
    clearInterval(release);
    expect(statuses.filter(status => status === 503)).toHaveLength(600 - 512);
    expect(statuses.filter(status => status === 200)).toHaveLength(512);
  });
});

async function startApi({ url: webUrl }: { url: string }, env: Record<string, string> = {}) {
  const { url } = await createTestDatabase();
  return startTestApi(url, { WEB_URL: webUrl, ...env });
}

/** `fetch` would resolve dot segments itself. */
async function statusOf(url: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const request = get({ hostname, port, path });
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

async function startWeb(answer: RequestListener) {
  const server = createServer(answer);
  return { server, url: `http://127.0.0.1:${await listenUntilTestEnds(server)}` };
}
