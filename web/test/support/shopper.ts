import type { Page } from 'playwright-core';

/** Opens a drop and waits until its stock is streamed, so that the page shows what happens next. */
export async function watch(page: Page, productId: number): Promise<void> {
  await page.goto(`/drops/${productId}`);
  await page.getByText('Live', { exact: true }).waitFor();
}

export function buyButton(page: Page) {
  return page.getByRole('button', { name: /^Buy now/ });
}

export function heading(page: Page, name: string) {
  return page.getByRole('heading', { level: 1, name });
}

/** @returns how many orders of the shopper are listed on their page. */
export async function countOrders(page: Page): Promise<number> {
  await page.goto('/orders');
  await page.getByTestId('status').first().waitFor();
  return page.getByTestId('status').count();
}
