import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { findBarriers } from './support/barriers.js';
import { looks, openVisit, sizes } from './support/browser.js';
import { createDrop } from './support/operator.js';
import { buyButton, heading, watch } from './support/shopper.js';

const artefacts = fileURLToPath(new URL('./artefacts/', import.meta.url));

/** Each page, and how to get to it. */
const pages: Record<string, (page: Page) => Promise<unknown>> = {
  drops: page => page.goto('/'),
  drop: page => watch(page, 1),
  upcoming: page => page.goto('/drops/3'),
  refused: async page => {
    const productId = await createDrop({ allocation: 1 });
    await watch(page, productId);
    await page.route(/\/api\/purchase/, route => route.fulfill({ status: 409, ...soldOut }));
    await buyButton(page).click();
    await page.getByRole('alert').filter({ hasText: 'Gone, for now' }).waitFor();
  },
  'sold-out': async page => {
    const productId = await createDrop({ allocation: 1 });
    await watch(page, productId);
    await buyButton(page).click();
    await heading(page, 'It is yours.').waitFor();
    await watch(page, productId);
    await page.getByRole('link', { name: 'Other drops' }).waitFor();
  },
  paused: async page => {
    await watch(page, await createDrop({ becomes: 'pause' }));
    await page.getByText('Paused for a moment').waitFor();
  },
  past: async page => {
    await page.goto(`/drops/${await createDrop({ becomes: 'end' })}`);
    await page.getByText('This sale is over').waitFor();
  },
  'no-orders': async page => {
    await page.goto('/orders');
    await page.getByText('Nothing is in your name yet').waitFor();
  },
  checkout: async page => {
    await watch(page, 2);
    await page.getByRole('button', { name: /^Hold and check out/ }).click();
    await page.getByRole('button', { name: 'Pay €649' }).waitFor();
  },
  receipt: async page => {
    await watch(page, 4);
    await buyButton(page).click();
    await heading(page, 'It is yours.').waitFor();
  },
  orders: async page => {
    await pages.receipt?.(page);
    await page.goto('/orders');
    await page.getByTestId('status').first().waitFor();
  },
  'not-found': page => page.goto('/drops/999999'),
};

const soldOut = {
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: '/problems/sold-out', title: 'Sold out', status: 409 }),
};

it.each(Object.entries(pages))(
  'the page "%s" is accessible, on a phone and on a desktop, in light and dark',
  async (name, open) => {
    const { page } = await openVisit();
    const faults: string[] = [];
    page.on('pageerror', error => faults.push(error.message));
    await open(page);
    await mkdir(artefacts, { recursive: true });
    for (const { size, theme, isSearched } of looks) {
      await page.setViewportSize(sizes[size]);
      await page.emulateMedia({ colorScheme: theme });
      await page.screenshot({ path: `${artefacts}${name}-${size}-${theme}.png`, fullPage: true });
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
      if (isSearched) expect(await findBarriers(page)).toEqual([]);
    }
    expect(faults).toEqual([]);
  },
);

it('a name that looks like HTML is shown as text on the page of its drop and escaped in the source', async () => {
  const name = `</title></script><script>alert(1)</script><img src=x onerror=alert(1)>`;
  const productId = await createDrop({ name });
  const html = await (await fetch(`${inject('shopUrl')}/drops/${productId}`)).text();
  expect(html).toContain('&lt;script&gt;alert(1)');
  expect(html).not.toMatch(/<script>alert|<img src=x/);
  const { page } = await openVisit();
  page.on('dialog', () => expect.unreachable('the name was executed'));
  await watch(page, productId);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain(name);
});

describe('a drop’s page', () => {
  it('loads without layout shifts and with less than 200 kB of script; the test prints when its content appears', async () => {
    const { page, context } = await openVisit();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    const scripts = new Set<string>();
    let scriptBytes = 0;
    session.on('Network.responseReceived', ({ requestId, type }) => {
      if (type === 'Script') scripts.add(requestId);
    });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (scripts.has(requestId)) scriptBytes += encodedDataLength;
    });
    await page.addInitScript(observeShifts);
    await watch(page, 1);
    const paintsMs: number[] = [];
    for (let visit = 0; visit < 3; visit++) {
      await watch(page, 1);
      paintsMs.push(await (await page.waitForFunction(firstPaintMs)).jsonValue());
    }
    const shift = await page.evaluate(() => document.documentElement.dataset.shift ?? 'none');
    const paintMs = paintsMs.sort((a, b) => a - b)[1] ?? Number.NaN;
    process.stdout.write(
      `drop's page: first content after ${paintMs.toFixed(0)} ms, layout shifts: ${shift}, ${(scriptBytes / 1000).toFixed(0)} kB of script\n`,
    );
    // The target is one second, and a dedicated machine meets it (docs/measurements); next to other tests the time
    // means little.
    expect(paintMs).toBeGreaterThan(0);
    expect(shift).toBe('none');
    expect(scriptBytes).toBeLessThan(200_000);
  });

  it('lets a shopper buy with the keyboard alone', async () => {
    const productId = await createDrop();
    const { page } = await openVisit();
    await watch(page, productId);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    for (let press = 0; press < 10; press++) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate(() => document.activeElement?.textContent ?? '');
      if (name.startsWith('Buy now')) break;
    }
    await page.keyboard.press('Enter');
    await heading(page, 'It is yours.').waitFor();
  });
});

/** Records on the page what has shifted unexpectedly. */
function observeShifts(): void {
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      const { value, sources } = entry as PerformanceEntry & {
        value: number;
        sources: { node: Node | null }[];
      };
      const moved = sources.map(({ node }) => node?.textContent).join(', ');
      document.documentElement.dataset.shift = `${value} by ${moved}`;
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** 0 until something is painted. */
function firstPaintMs(): number {
  return performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
}
