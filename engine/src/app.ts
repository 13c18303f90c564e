import type { Logger } from 'pino';
import { followLedger } from './admission/follow-ledger.js';
import { createGate } from './admission/gate.js';
import { createStockViews, type StockViews } from './admission/stock-views.js';
import { createCalendar } from './catalog/calendar.js';
import { createListProductIds } from './catalog/products.js';
import { createDraining } from './http/draining.js';
import { createIdentity } from './http/identity.js';
import { registerAdmin } from './http/routes/admin.js';
import { registerAttempts } from './http/routes/attempts.js';
import { registerCatalog } from './http/routes/catalog.js';
import { registerOperations } from './http/routes/operations.js';
import { registerOrders } from './http/routes/orders.js';
import { registerPurchase } from './http/routes/purchase.js';
import { registerSession } from './http/routes/session.js';
import { createServer } from './http/server.js';
import { createAllocateUserId } from './ids/allocate.js';
import { createAttempts } from './ledger/attempts.js';
import { createDecide } from './ledger/decide.js';
import type { Stock } from './ledger/stock.js';
import { createDecisionQueue, type DecisionQueue } from './orders/decide.js';
import { createFindReplay, createReadOrder } from './orders/replay.js';
import type { Config } from './platform/config.js';
import { createDatabaseClock } from './platform/database-clock.js';
import { messageOf } from './platform/errors.js';
import { connectionOptions, createPool, createProbe, type Pool } from './platform/postgres.js';
import type { Secrets } from './platform/secrets.js';

export type Api = {
  /** Where it listens, such as http://127.0.0.1:3000 */
  url: string;
  /** Stops taking purchases, answers those in flight, writes out what is buffered. Every call waits for the same drain. */
  drain(): Promise<void>;
};

type CreateDecisions = (parts: {
  pool: Pool;
  config: Config;
  logger: Logger;
  onStock: (stock: Stock) => void;
}) => DecisionQueue;

export type ApiOptions = {
  config: Config;
  secrets: Secrets;
  databaseUrl: string;
  logger: Logger;
  /** Another way to decide, for baselines and for tests of failures; in batches otherwise. */
  createDecisions?: CreateDecisions;
};

type Parts = ReturnType<typeof createParts>;

/** The composition root: the only place that picks adapters and wires the parts of a role together. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const parts = createParts(options);
  try {
    const { server, draining } = await createApiServer(options, parts);
    const { HOST: host, PORT: port, DRAIN_TIMEOUT_MS: timeoutMs } = options.config;
    const url = await server.listen({ host, port, backlog: acceptBacklog });
    let drained: Promise<void> | undefined;
    const drain = async () => {
      await draining.drain(timeoutMs);
      await parts.close();
    };
    return {
      url,
      drain() {
        drained ??= drain();
        return drained;
      },
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** What stands between HTTP and the database, with everything that has to be closed again. */
function createParts({ config, databaseUrl, logger, createDecisions = decideInBatches }: ApiOptions) {
  // Decisions have connections of their own: nothing else that asks the database can stand in their way.
  const decisionConnections = Math.ceil(config.DB_POOL_MAX / 5);
  const decisionPool = createPool(databaseUrl, {
    ...config,
    DB_POOL_MAX: decisionConnections,
    DB_POOL_MIN: 0,
  });
  const pool = createPool(databaseUrl, { ...config, DB_POOL_MAX: config.DB_POOL_MAX - decisionConnections });
  const clock = createDatabaseClock();
  const calendar = createCalendar(pool, clock);
  const warn = (message: string) => (error: unknown) => logger.warn({ reason: messageOf(error) }, message);
  const follower = followLedger({
    connection: connectionOptions(databaseUrl, config),
    clock,
    calendar,
    views: () => views,
    onError: warn('trouble on the connection that follows the ledger'),
  });
  const views: StockViews = createStockViews(pool, follower.isLive);
  const onError = warn('attempts could not be written');
  const attempts = createAttempts({ pool, clock, bufferMax: config.ATTEMPTS_BUFFER_MAX, onError });
  const decisions = createDecisions({ pool: decisionPool, config, logger, onStock: views.apply });

  async function close(): Promise<void> {
    await decisions.drained();
    await attempts.close(config.DRAIN_TIMEOUT_MS);
    const dropped = attempts.dropped();
    if (dropped > 0) logger.warn({ dropped }, 'attempts were dropped, not written');
    await follower.close();
    await Promise.all([pool.end(), decisionPool.end()]);
  }

  return { pool, clock, calendar, views, attempts, decisions, close };
}

async function createApiServer({ config, secrets, logger }: ApiOptions, parts: Parts) {
  const { pool, clock, calendar, views, attempts, decisions } = parts;
  const server = await createServer(logger);
  const draining = createDraining(server);
  const identity = createIdentity({ mode: config.IDENTITY, ...secrets });
  const readOrder = createReadOrder(pool);
  const findReplay = createFindReplay(readOrder);
  const gate = createGate(views, clock);
  const probe = createProbe(pool);

  async function unreadyReasons(): Promise<string[]> {
    if (draining.isOn()) return ['this process is shutting down'];
    const error = await probe();
    return error === undefined ? [] : [`PostgreSQL does not answer: ${messageOf(error)}`];
  }

  registerPurchase(server, { identity, calendar, gate, decisions, findReplay, attempts });
  registerCatalog(server, { calendar, clock, views, listProductIds: createListProductIds(pool) });
  registerOrders(server, { identity, calendar, readOrder });
  registerAttempts(server, { identity, pool, clock });
  registerSession(server, { identity, allocateUserId: createAllocateUserId(pool) });
  registerAdmin(server, { identity, pool, clock, calendar });
  registerOperations(server, { unreadyReasons });
  return { server, draining };
}

const decideInBatches: CreateDecisions = ({ pool, config, logger, onStock }) =>
  createDecisionQueue({
    decide: createDecide(pool),
    onStock,
    onPoison: ({ orderId }, error) => logger.error({ err: error, orderId }, 'PostgreSQL refuses a request'),
    deadlineMs: config.DECISION_DEADLINE_MS,
    queueMax: config.DECISION_QUEUE_MAX,
    batchMax: config.DECISION_BATCH_MAX,
  });

// Connections that the kernel holds for us while we are busy. With Node's 511 a rush of 2,000 overflows it, and a client
// whose handshake was dropped waits for its own retransmissions, seconds long. The kernel caps it at net.core.somaxconn.
const acceptBacklog = 8192;
