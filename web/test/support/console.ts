import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { type Shop, startShop } from '../../../client/test/support/start-shop.js';
import { openVisit } from './browser.js';
import { pagesOf } from './shop.js';

export const secret = 'console-test-operator-00';
const apiKey = 'console-test-api-key-000';

export type Console = {
  url(): string;
  /** A browser in which an operator is signed in. */
  openSignedIn(): Promise<{ context: BrowserContext; page: Page }>;
  /** Buys as the shop's own server does. */
  buy(path: string, body: Record<string, unknown>): Promise<string>;
  statusOf(orderId: string, shopperId: string): Promise<string>;
};

const acceptedSchema = z.looseObject({
  order_id: z.string().optional(),
  order: z.looseObject({ id: z.string() }).optional(),
});

/**
 * A separate engine for the file: its operator may break things on purpose, and is locked out after a few wrong
 * secrets.
 */
export function startConsole(): Console {
  let shop: Shop | undefined;

  function url(): string {
    if (!shop) throw new Error('the engine has not started yet');
    return shop.url;
  }

  beforeAll(async () => {
    shop = await startShop({
      WEB_ENABLED: 'true',
      FAULTS_ENABLED: 'true',
      OPERATOR_TRIES_MAX: '3',
      OPERATOR_TOKEN: secret,
      API_KEY: apiKey,
    });
    await pagesOf(shop.url);
  });
  afterAll(() => shop?.close());

  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  return {
    url,
    async openSignedIn() {
      const visit = await openVisit();
      const session = { data: { secret }, headers: { origin: url() } };
      const answer = await visit.context.request.post(`${url()}/api/admin/session`, session);
      expect(answer.status()).toBe(201);
      return visit;
    },
    async buy(path, body) {
      const answer = await fetch(url() + path, { method: 'POST', headers, body: JSON.stringify(body) });
      const { order_id, order } = acceptedSchema.parse(await answer.json());
      return order_id ?? order?.id ?? '';
    },
    async statusOf(orderId, shopperId) {
      const answer = await fetch(`${url()}/api/orders/${orderId}`, {
        headers: { ...headers, 'x-user-id': shopperId },
      });
      return z.looseObject({ status: z.string() }).parse(await answer.json()).status;
    },
  };
}
