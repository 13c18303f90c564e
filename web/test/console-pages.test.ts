import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, inject, it } from 'vitest';
import { findBarriers } from './support/barriers.js';
import { looks, openVisit, sizes } from './support/browser.js';
import { operatorToken } from './support/shop.js';

const artefacts = fileURLToPath(new URL('./artefacts/', import.meta.url));

/** Each page of the console, and a text that it shows once it has loaded. */
const pages: Record<string, [path: string, sign: string]> = {
  live: ['/admin', 'Live'],
  sales: ['/admin/sales', 'Meridian trainers'],
  sale: ['/admin/sales/1', 'Tries to buy'],
  series: ['/admin/sales?view=series', 'Repeats'],
  'new-sale': ['/admin/sales/new?from=1', 'Create the sale'],
  products: ['/admin/products', 'Meridian trainers'],
  product: ['/admin/products/1', 'As the shop shows it.'],
  revenue: ['/admin/revenue', 'Read again'],
  orders: ['/admin/orders?saleId=1', 'Download CSV'],
  attempts: ['/admin/attempts', 'Download CSV'],
  'dead-letters': ['/admin/dead-letters', 'Nothing waits for you'],
  audit: ['/admin/audit', 'Not run yet'],
  faults: ['/admin/faults', 'Faults on demand are not enabled here'],
  rehearsal: ['/admin/rehearsal', 'Rehearsal'],
  trail: ['/admin/trail', '/api/admin/session'],
  sessions: ['/admin/sessions', 'This one'],
};

// One visit for all pages: each is opened once, and checked in every size and theme.
it('each page of the console is accessible, on a phone and on a desktop, in light and in dark', async () => {
  const { page, context } = await openVisit();
  const faults: string[] = [];
  page.on('pageerror', error => faults.push(error.message));
  await mkdir(artefacts, { recursive: true });
  const wrong = new Map<string, string[]>();
  const look = async (name: string) => {
    const found = await barriersInEveryLook(page, name);
    if (found.length > 0) wrong.set(name, found);
  };

  await page.goto('/admin/sign-in');
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await look('sign-in');
  const data = { secret: operatorToken };
  await context.request.post('/api/admin/session', { data, headers: { origin: inject('shopUrl') } });
  for (const [name, [path, sign]] of Object.entries(pages)) {
    await page.goto(path);
    await page.getByRole('main').getByText(sign).first().waitFor();
    await page.getByText('Loading').first().waitFor({ state: 'detached' });
    await look(name);
  }

  expect(Object.fromEntries(wrong)).toEqual({});
  expect(faults).toEqual([]);
}, 240_000);

async function barriersInEveryLook(page: Page, name: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const { theme, size, isSearched } of looks) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize(sizes[size]);
    // While colours change from one theme to the other, they belong to neither.
    const path = `${artefacts}console-${name}-${size}-${theme}.png`;
    await page.screenshot({ path, animations: 'disabled' });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (overflow > 0) wrong.push(`${size}: ${overflow} px wider than the window`);
    if (isSearched) wrong.push(...(await findBarriers(page)));
  }
  return wrong;
}
