import type { TestProject } from 'vitest/node';
import { startShop } from './start-shop.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** An engine with its demo catalogue, without pages. */
    shopUrl: string;
  }
}

export const apiKey = 'client-test-api-key-000000';
/**
 * How many purchases a shopper without the API key can send at once; one more becomes available after
 * `purchaseEveryMs`.
 */
export const purchasesMax = 2;
export const purchaseEveryMs = 1500;

/** One engine for the whole run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const shop = await startShop({
    WEB_ENABLED: 'false',
    API_KEY: apiKey,
    RATE_LIMIT_USER_MAX: String(purchasesMax),
    RATE_LIMIT_WINDOW_MS: String(purchasesMax * purchaseEveryMs),
  });
  project.provide('shopUrl', shop.url);
  return shop.close;
}
