import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { findBarriers } from './support/barriers.js';
import { openVisit, sizes } from './support/browser.js';
import { operatorToken } from './support/shop.js';

const artefacts = fileURLToPath(new URL('./artefacts/', import.meta.url));

it('an operator starts a rehearsal, watches it, and reads that exactly the available units were sold', async () => {
  const { page } = await openVisit();
  await page.goto('/admin/rehearsal');
  await page.getByLabel('Secret').fill(operatorToken);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Rehearsal' }).waitFor();
  const secrets: string[] = [];
  page.on('response', async response => {
    if (response.url().includes('/api/') && (await response.text()).includes(operatorToken)) {
      secrets.push(response.url());
    }
  });

  await page.getByLabel('Units on sale').fill('40');
  await page.getByLabel('Shoppers').fill('60');
  await page.getByLabel('Requests a second').fill('100');
  await page.getByLabel('Seconds').fill('3');
  await page.getByRole('button', { name: 'Start the rehearsal' }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  await look(page, 'rehearsal-running');
  await page.getByText('Sold exactly 40').waitFor({ timeout: 45_000 });
  await page.getByText('Nothing was oversold, no order was lost, none was made twice.').waitFor();
  await look(page, 'rehearsal');
  expect(secrets).toEqual([]);

  const products = await page.request.get('/api/products');
  expect(await products.text()).not.toContain('Rehearsal');
});

/** The page is accessible, on a phone and on a desktop, in light and dark. */
async function look(page: Page, name: string): Promise<void> {
  await mkdir(artefacts, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: `${artefacts}${name}-${size}-${theme}.png`, fullPage: true });
      expect(await findBarriers(page)).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    }
  }
}
