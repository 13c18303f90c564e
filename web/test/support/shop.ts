import type { TestProject } from 'vitest/node';
import { startShop } from '../../../client/test/support/start-shop.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A whole shop as `npm start` runs it, with its demo catalogue. */
    shopUrl: string;
  }
}

export const operatorToken = 'web-test-operator-000000';
/** For the load generator, which buys for many shoppers. */
export const apiKey = 'web-test-api-key-00000000';

/** One shop for the whole run: the built engine, its pages, and a database in a directory that is deleted with it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const shop = await startShop({ WEB_ENABLED: 'true', OPERATOR_TOKEN: operatorToken, API_KEY: apiKey });
  await pagesOf(shop.url);
  project.provide('shopUrl', shop.url);
  return shop.close;
}

/** Waits until the pages answer; they start after the API. */
export async function pagesOf(url: string): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000;
  for (;;) {
    const { status } = await fetch(url);
    if (status === 200) return;
    if (performance.now() > giveUpAtMs) throw new Error(`the pages of ${url} still answer ${status}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
