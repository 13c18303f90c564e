import { expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { scrape, seriesValue } from './support/metrics.js';
import { startWebhookReceiver } from './support/webhook-receiver.js';
import { createWebhook, deliveriesOf, quickly } from './support/webhooks.js';

const shown = { ENABLE_METRICS: 'true', METRICS_PORT: '0' };

async function startShop(env: Record<string, string>) {
  const { url } = await createTestDatabase();
  const api = await startTestApi(url, { ...quickly, ...shown, ...env }, { roles: ['api', 'scheduler'] });
  const receiver = await startWebhookReceiver();
  const webhook = await createWebhook(api, receiver.url);
  const read = async (series: string) =>
    seriesValue(await scrape(api.metricsUrl), `doorbuster_webhook_${series}`);
  const test = () => api.asOperator('POST', `/api/admin/webhooks/${webhook.id}/test`);
  return { api, receiver, webhook, read, test };
}

it('metrics of webhooks report the results of the tries, and how long the oldest event has waited', async () => {
  const { receiver, read, test } = await startShop({ WEBHOOK_TRIES_MAX: '3' });
  expect(await read('oldest_pending_seconds')).toBe(0);
  await test();
  await until('it arrives', async () => (await read('tries_total{outcome="delivered"}')) === 1);
  expect(await read('tries_total{outcome="retried"}')).toBe(0);

  receiver.hang(true);
  await test();
  await until('one waits', async () => ((await read('oldest_pending_seconds')) ?? 0) > 0);
  receiver.hang(false);
  receiver.failNext(Number.POSITIVE_INFINITY);
  await until('it has failed permanently', async () => (await read('tries_total{outcome="failed"}')) === 1);
  expect(await read('tries_total{outcome="retried"}')).toBe(2);
  await until('none waits', async () => (await read('oldest_pending_seconds')) === 0);
});

it('metrics of webhooks report which are disabled and why, and do not count their backlog as waiting', async () => {
  const { api, receiver, webhook, read, test } = await startShop({ WEBHOOK_DISABLE_AFTER_MS: '300' });
  const states = async () =>
    Object.fromEntries(
      await Promise.all(
        ['enabled', 'by-operator', 'failing', 'gone'].map(async state => [
          state,
          await read(`endpoints{state="${state}"}`),
        ]),
      ),
    );
  expect(await states()).toEqual({ enabled: 1, 'by-operator': 0, failing: 0, gone: 0 });
  receiver.failNext(Number.POSITIVE_INFINITY);
  await test();
  await until('it is disabled', async () => (await read('endpoints{state="failing"}')) === 1);
  expect(await deliveriesOf(api, webhook.id, 'status=pending')).toHaveLength(1);
  expect(await read('oldest_pending_seconds')).toBe(0);

  const change = (enabled: boolean) =>
    api.asOperator('PATCH', `/api/admin/webhooks/${webhook.id}`, { enabled });
  receiver.failNext(0);
  await change(true);
  await until('the backlog arrives', async () => (await read('tries_total{outcome="delivered"}')) === 1);
  await change(false);
  await until(
    'an operator has disabled it',
    async () => (await read('endpoints{state="by-operator"}')) === 1,
  );
  expect(await states()).toEqual({ enabled: 0, 'by-operator': 1, failing: 0, gone: 0 });
});
