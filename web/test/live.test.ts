import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { findBarriers } from './support/barriers.js';
import { looks, openVisit, sizes } from './support/browser.js';
import { createDrop } from './support/operator.js';
import { operatorToken } from './support/shop.js';

const artefacts = fileURLToPath(new URL('./artefacts/', import.meta.url));

describe('the live page', () => {
  it('follows what shoppers do', async () => {
    const { page } = await openVisit();
    const productId = await createDrop({ name: 'Burning down', allocation: 60 });
    await openLive(page);
    const confirmedBefore = await confirmed(page);
    keepBuying(productId);

    await page.getByRole('row', { name: /^Burning down .*\b[1-5]?\d of 60$/ }).waitFor();
    await figure(page, 'Orders a second', text => Number(text) > 0);
    await figure(page, 'Requests a second', text => Number(text) > 0);
    await figure(page, 'P95 of requests', text => text.endsWith(' ms'));
    expect(await confirmed(page)).toBeGreaterThan(confirmedBefore);
    expect(await page.locator('canvas').count()).toBe(5);
  });

  it('keeps the last figures when the stream breaks, says that they are old, and recovers on its own', async () => {
    const { page } = await openVisit();
    await openLive(page);
    await page.route('**/api/admin/live', route => route.abort());
    // As after a change of network: the page closes its stream and opens a new one.
    await page.evaluate(() => dispatchEvent(new Event('online')));

    await page.getByRole('alert').filter({ hasText: 'Not up to date' }).waitFor();
    expect(await page.getByTestId('freshness').textContent()).toMatch(/^Last heard at \d\d:/);
    expect(await page.getByRole('row', { name: /^Answered/ }).textContent()).toMatch(/\d/);

    await page.unroute('**/api/admin/live');
    await page
      .getByTestId('freshness')
      .filter({ hasText: /^Live, / })
      .waitFor();
    expect(await page.getByRole('alert').filter({ hasText: 'Not up to date' }).count()).toBe(0);
  });

  it('is accessible, on a phone and on a desktop, in light and dark', async () => {
    const { page } = await openVisit();
    const faults: string[] = [];
    page.on('pageerror', error => faults.push(error.message));
    const productId = await createDrop({ name: 'Looked at', allocation: 60 });
    await openLive(page);
    keepBuying(productId);
    await page.getByRole('row', { name: /^Looked at .*\b[1-5]?\d of 60$/ }).waitFor();
    await mkdir(artefacts, { recursive: true });
    for (const { size, theme, isSearched } of looks) {
      await page.setViewportSize(sizes[size]);
      await page.emulateMedia({ colorScheme: theme });
      // Charts adapt to the width in the browser's next frame.
      await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth);
      await page.screenshot({ path: `${artefacts}live-${size}-${theme}.png`, fullPage: true });
      if (isSearched) expect(await findBarriers(page)).toEqual([]);
    }
    expect(faults).toEqual([]);
  });
});

async function openLive(page: Page): Promise<void> {
  const signedIn = await page.request.post('/api/admin/session', { data: { secret: operatorToken } });
  expect(signedIn.status()).toBe(201);
  await page.goto('/admin');
  await page
    .getByTestId('freshness')
    .filter({ hasText: /^Live, / })
    .waitFor();
}

/** Waits until the figure with that name has a wanted value. */
async function figure(page: Page, name: string, isWanted: (text: string) => boolean): Promise<void> {
  const value = page
    .locator('dl > div')
    .filter({ has: page.getByText(name, { exact: true }) })
    .locator('dd');
  await expect.poll(async () => isWanted((await value.textContent()) ?? ''), { timeout: 20_000 }).toBe(true);
}

async function confirmed(page: Page): Promise<number> {
  const row = page.getByRole('row', { name: /^Confirmed/ });
  if ((await row.count()) === 0) return 0;
  return Number((await row.locator('td').last().textContent())?.replaceAll(',', ''));
}

/** Shoppers who buy one after the other until the test ends. */
function keepBuying(productId: number): void {
  let isOver = false;
  const buyers = (async () => {
    while (!isOver) await buyOne(productId);
  })();
  onTestFinished(() => {
    isOver = true;
    return buyers;
  });
}

const sessionSchema = z.object({ token: z.string() });

async function buyOne(productId: number): Promise<void> {
  const session = await fetch(`${inject('shopUrl')}/api/session`, { method: 'POST' });
  const { token } = sessionSchema.parse(await session.json());
  await fetch(`${inject('shopUrl')}/api/purchase`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ productId }),
  });
  // Together with the browser, which has the same address, this stays below the limit per address.
  await new Promise(resolve => setTimeout(resolve, 100));
}
