import type { LiveStocks } from '../../catalog/live-stock.js';
import type { Metrics, Sample } from '../../platform/telemetry/metrics.js';
import type { Depth } from '../../queue/order-queue.js';
import type { Parts } from '../parts.js';

/** What the engine depends on, and what it holds: PostgreSQL, the queue, payments, Redis. */
export function showStores(metrics: Metrics, parts: Parts): void {
  showPools(metrics, parts);
  showBreakers(metrics, parts);
  showReadings(metrics, parts);
}

function showPools({ gauge }: Metrics, { pools, decisionConnections }: Parts): void {
  gauge(
    {
      name: 'pg_pool_waiting_connections',
      help: 'Callers waiting for a connection to PostgreSQL',
      labels: ['pool'],
    },
    () => Object.entries(pools).map(([pool, { waitingCount }]) => [{ pool }, waitingCount]),
  );
  gauge(
    { name: 'doorbuster_pg_pool_connections', help: 'Connections to PostgreSQL', labels: ['pool', 'state'] },
    () =>
      Object.entries(pools).flatMap(([pool, { idleCount, totalCount }]): Sample[] => [
        [{ pool, state: 'idle' }, idleCount],
        [{ pool, state: 'busy' }, totalCount - idleCount],
      ]),
  );
  gauge(
    {
      name: 'doorbuster_decision_connections_missing',
      help: 'Connections to PostgreSQL that decisions should have but lack',
    },
    () => [[{}, decisionConnections.wantedCount() - decisionConnections.openCount()]],
  );
}

const breakerStates = ['closed', 'half-open', 'open'] as const;

function showBreakers({ gauge }: Metrics, { payments, shared, outage }: Parts): void {
  gauge(
    {
      name: 'doorbuster_breaker_state',
      help: '1 for the current state of the payment circuit breaker',
      labels: ['breaker', 'state'],
    },
    () =>
      breakerStates.map(state => [{ breaker: 'payments', state }, payments.breakerState() === state ? 1 : 0]),
  );
  gauge(
    {
      name: 'doorbuster_redis_up',
      help: '1 while Redis is connected and its circuit breaker is closed; no series without Redis',
    },
    () => (shared ? [[{}, shared.link.isUp() ? 1 : 0]] : []),
  );
  gauge(
    {
      name: 'doorbuster_postgres_outage',
      help: '1 from when PostgreSQL was found unresponsive until it answers',
    },
    () => [[{}, outage.isOn() ? 1 : 0]],
  );
}

/** Every process reports the same figures: aggregate them with max(), not with sum(). */
function showReadings({ gauge }: Metrics, { readings }: Parts): void {
  const { queue, stock, late_orders: lateOrders, dead_letters: deadLetters } = readings;
  gauge({ name: 'doorbuster_queue_messages', help: 'Orders in the queue', labels: ['state'] }, async () =>
    depthSamples(await queue.get()),
  );
  gauge(
    {
      name: 'doorbuster_queue_oldest_age_seconds',
      help: 'Age of the oldest order that could be decided now',
    },
    async () => {
      const { oldestAgeMs } = (await queue.get()) ?? {};
      return oldestAgeMs === undefined ? [] : [[{}, oldestAgeMs / 1000]];
    },
  );
  gauge(
    {
      name: 'doorbuster_late_orders',
      help: 'Orders that have waited for more than a minute to be decided, excluding paused sales',
    },
    async () => {
      const late = await lateOrders.get();
      return late ? [[{}, late.count]] : [];
    },
  );
  gauge(
    { name: 'doorbuster_late_orders_oldest_age_seconds', help: 'How long the oldest late order has waited' },
    async () => {
      const late = await lateOrders.get();
      return late ? [[{}, late.oldestAgeMs / 1000]] : [];
    },
  );
  gauge(
    {
      name: 'doorbuster_stock_units',
      help: 'Units of live sales, at most of the 100 that began last',
      labels: ['sale_id', 'product_id', 'state'],
    },
    async () => stockSamples(await stock.get()),
  );
  gauge({ name: 'doorbuster_live_sales', help: 'Number of live sales' }, async () => {
    const stocks = await stock.get();
    return stocks ? [[{}, stocks.saleCount]] : [];
  });
  gauge({ name: 'doorbuster_dead_letters', help: 'Unresolved dead letters', labels: ['status'] }, async () =>
    Object.entries((await deadLetters.get()) ?? {}).map(([status, count]) => [{ status }, count]),
  );
  gauge(
    {
      name: 'doorbuster_reading_ok',
      help: '1 if the last attempt to read these figures succeeded',
      labels: ['reading'],
    },
    async () => {
      // Read together with the others, so that it describes this scrape.
      await Promise.all(Object.values(readings).map(reading => reading.get()));
      return Object.entries(readings).map(([reading, { isOk }]) => [{ reading }, isOk() ? 1 : 0]);
    },
  );
}

function depthSamples(depth: Depth | undefined): Sample[] {
  if (!depth) return [];
  return [
    [{ state: 'ready' }, depth.ready],
    [{ state: 'in-flight' }, depth.inFlight],
    [{ state: 'delayed' }, depth.delayed],
  ];
}

const stockStates = ['allocation', 'available', 'reserved', 'sold'] as const;

function stockSamples(stocks: LiveStocks | undefined): Sample[] {
  return (stocks?.sales ?? []).flatMap(sale =>
    stockStates.map(
      (state): Sample => [{ sale_id: `${sale.saleId}`, product_id: `${sale.productId}`, state }, sale[state]],
    ),
  );
}
