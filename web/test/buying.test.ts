import { describe, expect, it } from 'vitest';
import { openVisit } from './support/browser.js';
import { createDrop, stockOf } from './support/operator.js';
import { buyButton, countOrders, heading, watch } from './support/shopper.js';

describe('a shopper', () => {
  it('buys now, and sees the receipt, the smaller stock, and the units in their name', async () => {
    const productId = await createDrop({ name: 'Receipt lamp', allocation: 20, perUserLimit: 3 });
    const { page } = await openVisit();
    await watch(page, productId);
    await page.getByRole('button', { name: 'One more' }).click();
    await buyButton(page).click();

    await heading(page, 'It is yours.').waitFor();
    expect(await page.getByTestId('total').textContent()).toBe('€84');
    await watch(page, productId);
    await page.getByTestId('stock').filter({ hasText: /^18$/ }).waitFor();
    await page.getByTestId('mine').filter({ hasText: '2 in your name' }).waitFor();
    // Only one more unit is within the limit.
    expect(await page.getByRole('button', { name: 'One more' }).isDisabled()).toBe(true);
  });

  it('holds units, is declined, and pays with another card; a reload in between loses nothing', async () => {
    const productId = await createDrop({ allocation: 5, payment: 'required' });
    const { page } = await openVisit();
    await watch(page, productId);
    await page.getByRole('button', { name: /^Hold and check out/ }).click();
    await heading(page, 'Held for you.').waitFor();
    await page.getByLabel('Test card that is declined').check();
    await page.getByRole('button', { name: 'Pay €42' }).click();
    await page.getByRole('alert').filter({ hasText: 'The payment was declined' }).waitFor();

    await page.reload();
    await page.getByTestId('hold').waitFor();
    await page.getByRole('button', { name: 'Pay €42' }).click();
    await heading(page, 'It is yours.').waitFor();
    expect(await stockOf(productId)).toEqual({ stock: 4, reserved: 0, sold: 1 });
    expect(await countOrders(page)).toBe(1);
  });

  it('queues an order, and the page shows its outcome without a reload', async () => {
    const productId = await createDrop();
    const { page } = await openVisit();
    await watch(page, productId);
    await page.getByText('Other ways to buy').click();
    await page.getByRole('button', { name: 'Queue my order' }).click();
    await heading(page, 'It is yours.').waitFor();
  });

  it('cancels a hold, and the units are on sale again', async () => {
    const productId = await createDrop({ allocation: 1 });
    const { page } = await openVisit();
    await watch(page, productId);
    await page.getByText('Other ways to buy').click();
    await page.getByRole('button', { name: 'Hold and check out' }).click();
    await heading(page, 'Held for you.').waitFor();
    expect(await stockOf(productId)).toMatchObject({ stock: 0, reserved: 1 });
    await page.getByRole('button', { name: 'Give the units back' }).click();
    await page.getByRole('button', { name: 'Yes, give back' }).click();
    await heading(page, 'Cancelled.').waitFor();
    expect(await stockOf(productId)).toEqual({ stock: 1, reserved: 0, sold: 0 });
  });

  it('sees a hold expire', async () => {
    const productId = await createDrop({ payment: 'required', holdTtlSeconds: 3 });
    const { page } = await openVisit();
    await watch(page, productId);
    await page.getByRole('button', { name: /^Hold and check out/ }).click();
    await heading(page, 'Your hold ran out.').waitFor();
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.getByRole('button', { name: /^Hold and check out/ }).waitFor();
  });

  it('is told why a purchase failed, both at once and later among the orders', async () => {
    const productId = await createDrop({ allocation: 1 });
    const [{ page }, { page: other }] = [await openVisit(), await openVisit()];
    // This page keeps its old figures, so the click comes a moment too late.
    await page.route(/\/api\/stock\//, route => route.abort());
    await page.goto(`/drops/${productId}`);
    await page.getByText('Last known figures').waitFor();
    await watch(other, productId);
    await buyButton(other).click();
    await heading(other, 'It is yours.').waitFor();

    await buyButton(page).click();
    await page.getByRole('alert').filter({ hasText: 'Gone, for now' }).waitFor();
    await page.goto('/orders');
    await page.getByRole('heading', { name: 'What did not work, and why' }).waitFor();
    await page.getByText('Fewer units were left than requested').waitFor();
  });
});
