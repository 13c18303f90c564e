import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openVisit } from './support/browser.js';
import { createDrop } from './support/operator.js';
import { operatorToken } from './support/shop.js';
import { buyButton, heading, watch } from './support/shopper.js';

const routesFile = new URL('../.next/app-path-routes-manifest.json', import.meta.url);
const routes = Object.entries<string>(JSON.parse(readFileSync(routesFile, 'utf8')))
  .filter(([file]) => file.endsWith('/page'))
  .map(([, route]) => route);

/** An address for each route that has a parameter. A new one needs a line here, or the test fails. */
const examples: Record<string, () => Promise<string>> = {
  '/drops/[id]': async () => '/drops/1',
  '/orders/[id]': async () => '/orders/00000000-0000-4000-8000-000000000000',
  '/admin/sales/[id]': async () => '/admin/sales/1',
  '/admin/products/[id]': async () => '/admin/products/1',
  '/_not-found': async () => '/nothing/here',
  // Shown when even the layout fails; it has no address.
  '/_global-error': async () => '/nothing/here',
};

async function addressOf(route: string): Promise<string> {
  const known = examples[route];
  if (known) return known();
  if (route.includes('[')) throw new Error(`the test needs an address for ${route}`);
  return route;
}

/** Records what the policy refuses, from the first script on. @returns what has been refused so far. */
async function noteRefusals(page: Page): Promise<() => Promise<string[]>> {
  const refused: string[] = [];
  await page.exposeBinding('noteRefusal', (_source, text: string) => void refused.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      const { noteRefusal } = globalThis as unknown as { noteRefusal(text: string): void };
      noteRefusal(`${effectiveDirective}: ${blockedURI} ${sample}`.trim());
    });
  });
  return async () => {
    await page.evaluate(() => new Promise(requestAnimationFrame));
    return refused;
  };
}

describe('the policy of the pages', () => {
  it('refuses nothing that the pages of the application contain, and no page sends requests to another host', async () => {
    const { page } = await openVisit();
    const refusals = await noteRefusals(page);
    const foreign: string[] = [];
    const home = new URL((await page.goto('/'))?.url() ?? '').origin;
    page.on('request', request => {
      if (!request.url().startsWith(home)) foreign.push(request.url());
    });
    await page.evaluate(signIn, operatorToken);
    expect(routes).toContain('/drops/[id]');
    for (const route of routes) {
      const answer = await page.goto(await addressOf(route), { waitUntil: 'load' });
      const policy = answer?.headers()['content-security-policy'] ?? '';
      expect({ route, policy }).toEqual({ route, policy: expect.stringContaining("default-src 'none'") });
      expect({ route, policy }).not.toEqual({ route, policy: expect.stringContaining('unsafe') });
      // The scripts have run: the page is interactive, not just rendered.
      await page.waitForFunction(() => 'next' in globalThis || document.querySelector('main') === null);
    }
    expect(await refusals()).toEqual([]);
    expect(foreign).toEqual([]);
  });

  it('refuses scripts that were planted in the page, while the page itself works', async () => {
    const productId = await createDrop();
    const { page } = await openVisit();
    const refusals = await noteRefusals(page);
    await page.route(`**/drops/${productId}`, async route => {
      const response = await route.fetch();
      const planted = `<script>document.title='planted'</script><img src="/none" onerror="document.title='planted'"><p style="color:red">`;
      await route.fulfill({ response, body: (await response.text()).replace('<main', `${planted}<main`) });
    });
    await page.goto(`/drops/${productId}`);
    await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = "document.title='planted'";
      document.body.append(script);
    });
    await watch(page, productId);
    await expect
      .poll(refusals)
      .toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^script-src-elem: inline/),
          expect.stringMatching(/^script-src-attr: inline/),
          expect.stringMatching(/^style-src-attr: inline/),
        ]),
      );
    expect(await page.title()).not.toContain('planted');
    await page.unroute(`**/drops/${productId}`);
    await watch(page, productId);
    await buyButton(page).click();
    await heading(page, 'It is yours.').waitFor();
  });

  it('shows pictures from the origins of product pictures, and from nowhere else', async () => {
    const pictures = await startPictures();
    const elsewhere = await startPictures();
    const productId = await createDrop({ imageUrl: `${pictures}/poster.svg` });
    const { page } = await openVisit();
    const refusals = await noteRefusals(page);
    await expect
      .poll(
        async () => {
          // Until the origin is known, a drawing stands in for it.
          await page.goto(`/drops/${productId}`);
          return page.locator('main img').evaluateAll(areShown);
        },
        { timeout: 15_000 },
      )
      .toEqual([true]);
    const before = (await refusals()).length;
    await page.evaluate(url => {
      document.body.append(Object.assign(new Image(), { src: `${url}/poster.svg` }));
    }, elsewhere);
    await expect
      .poll(async () => (await refusals()).slice(before))
      .toEqual([expect.stringContaining(`img-src: ${elsewhere}`)]);
  });
});

/** Runs in the page. */
function areShown(images: Element[]): boolean[] {
  return images.map(image => image instanceof HTMLImageElement && image.naturalWidth > 0);
}

async function startPictures(): Promise<string> {
  const server = createServer((_request, response) =>
    response
      .setHeader('content-type', 'image/svg+xml')
      .end(
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="100"><rect width="80" height="100"/></svg>',
      ),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('the test needs a port');
  return `http://127.0.0.1:${address.port}`;
}

async function signIn(secret: string): Promise<void> {
  await fetch('/api/admin/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
}
