import { expect, it } from 'vitest';
import { openVisit } from './support/browser.js';
import { startLoad } from './support/load.js';
import { createDrop, stockOf } from './support/operator.js';

// The target on an idle machine. A machine that reaches less is loaded with all it can take, and the output says how
// much.
const ratePerSecond = 10_000;
// Longer than the observation of the page takes; the load is then ended.
const durationS = 30;
const watchedMs = 3000;
// On a machine shared with ten other users, it opened after 16 s, at 519 purchases a second.
const openWithinMs = 40_000;
// If streams and readings are refused for a while, because purchases come first.
const watchedMaxMs = 15_000;
const changesMin = 2;

it('while the API is under all the load that it can take, a drop’s page opens and its stock changes', async () => {
  const productId = await createDrop({ allocation: 10_000_000 });
  const { page } = await openVisit();
  const load = await startLoad(productId, { ratePerSecond, durationS });
  await expect.poll(async () => (await stockOf(productId)).sold, { timeout: 20_000 }).toBeGreaterThan(0);
  const startedAtMs = performance.now();
  await page.goto(`/drops/${productId}`);
  await page.getByTestId('stock').waitFor({ timeout: openWithinMs });
  const openedMs = performance.now() - startedAtMs;
  const { paintMs, changes, stillMs, elapsedMs, freshness } = await page.evaluate(watchStock, {
    watchedMs,
    watchedMaxMs,
    changesMin,
  });
  const { throughput, outcomes } = await load.end();
  process.stdout.write(
    `under ${throughput.requestsPerSecond.toFixed(0)} purchases/s (${ratePerSecond} wanted): first content after ` +
      `${paintMs.toFixed(0)} ms, open after ${openedMs.toFixed(0)} ms, ${changes} changes in ${elapsedMs.toFixed(0)} ms, ` +
      `unchanged for ${stillMs.toFixed(0)} ms at most (${freshness}); ${outcomes.map(({ slug, count }) => `${slug} ${count}`).join(', ')}\n`,
  );
  // About 15 with the stream, one every 2 s with the fallback.
  expect(changes).toBeGreaterThanOrEqual(changesMin);
  expect(throughput.answered).toBeGreaterThan(0);
}, 90_000);

/** Runs in the page: counts how often its stock changes, and measures how long it stays the same. */
async function watchStock(bounds: { watchedMs: number; watchedMaxMs: number; changesMin: number }) {
  const startedAtMs = performance.now();
  const elapsed = () => performance.now() - startedAtMs;
  let changes = 0;
  let changedAtMs = performance.now();
  let stillMs = 0;
  const noteChange = () => {
    changes += 1;
    stillMs = Math.max(stillMs, performance.now() - changedAtMs);
    changedAtMs = performance.now();
  };
  const stock = document.querySelector('[data-testid="stock"]');
  if (!stock) throw new Error('the page shows no stock');
  new MutationObserver(noteChange).observe(stock, { characterData: true, childList: true, subtree: true });
  const { watchedMs, watchedMaxMs, changesMin } = bounds;
  while (elapsed() < watchedMs || (changes < changesMin && elapsed() < watchedMaxMs))
    await new Promise(resolve => setTimeout(resolve, 100));
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const words = ['Live', 'Updated every 2 s', 'Last known figures'];
  return {
    changes,
    elapsedMs: elapsed(),
    freshness: words.find(word => document.body.textContent?.includes(word)),
    stillMs: Math.max(stillMs, performance.now() - changedAtMs),
    paintMs: paint?.startTime ?? Number.NaN,
  };
}
