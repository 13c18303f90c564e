import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Entrance, ROAD_CONTRACTS, type Road } from '../contract/road.js';
import type { Faults } from './faults.js';
import { listen, numberIn, problem, readBody, send, stringIn } from './http.js';
import { IdCounter } from './id-counter.js';
import { codeOf, Ledger, type Order } from './ledger.js';

/** A shop that implements the engine's contract in memory and breaks it on demand. */
export interface FakeShop {
  readonly url: string;
  readonly keysSeen: ReadonlySet<string>;
  /** Number of requests to buy received. */
  readonly arrived: number;
  readonly endedSales: readonly number[];
  stop(): Promise<void>;
}

export const API_KEY = 'fake-api-key';
export const OPERATOR_TOKEN = 'fake-operator-token';

export async function startFakeShop(faults: Faults = {}): Promise<FakeShop> {
  const shop = new Shop(faults);
  const server = createServer((request, response) => void shop.serve(request, response));
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    keysSeen: shop.keysSeen,
    endedSales: shop.endedSales,
    get arrived() {
      return shop.arrived;
    },
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Nth = (every: number | undefined) => boolean;

class Shop {
  readonly keysSeen = new Set<string>();
  readonly endedSales: number[] = [];
  arrived = 0;
  readonly #ledger: Ledger;
  readonly #ids: IdCounter;
  #stalledUntilMs = 0;

  constructor(readonly faults: Faults) {
    this.#ledger = new Ledger(faults);
    this.#ids = new IdCounter(faults);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    if (pathname === '/api/purchase' || pathname === '/api/checkout' || pathname === '/api/orders')
      return this.#buy(request, response, { pathname, body });
    if (pathname.startsWith('/api/users')) return this.#giveIds(request, response, { pathname, body });
    if (pathname.startsWith('/api/stock/')) return send(response, 200, this.#ledger.stock());
    if (request.headers.authorization !== `Bearer ${OPERATOR_TOKEN}`)
      return problem(response, 401, 'unauthorized');
    if (pathname === '/api/admin/products') return send(response, 201, { id: 7 });
    if (pathname === '/api/admin/sales') {
      this.#ledger.allocation = numberIn(body, 'allocation');
      this.#ledger.perUserLimit = numberIn(body, 'perUserLimit');
      this.#ledger.holdMs = 1000 * (Object(body).holdTtlSeconds ?? 900);
      return send(response, 201, { id: 3 });
    }
    if (pathname === '/api/admin/sales/3/end') {
      this.endedSales.push(3);
      return send(response, 200, { id: 3 });
    }
    if (pathname === '/api/admin/orders')
      return send(response, 200, this.#ledger.page(searchParams.get('after')));
    if (pathname === '/api/admin/audit') return send(response, 200, this.#audit());
    problem(response, 404, 'not-found');
  }

  #giveIds(
    request: IncomingMessage,
    response: ServerResponse,
    { pathname, body }: { pathname: string; body: unknown },
  ): void {
    this.arrived += 1;
    const { faults, arrived } = this;
    const isBatch = pathname === '/api/users/batch';
    if (request.headers.authorization !== `Bearer ${API_KEY}`) {
      problem(response, 401, 'unauthorized');
      return;
    }
    const ids = this.#ids.take(isBatch ? numberIn(body, 'count') : 1);
    const isCut = faults.cutAfterEvery !== undefined && arrived % faults.cutAfterEvery === 0;
    if (isCut) request.socket.destroy();
    else send(response, 201, isBatch ? { ids } : { id: ids[0] });
  }

  async #buy(
    request: IncomingMessage,
    response: ServerResponse,
    { pathname, body }: { pathname: string; body: unknown },
  ): Promise<void> {
    this.arrived += 1;
    const { faults, arrived } = this;
    const nth: Nth = every => every !== undefined && arrived % every === 0;
    if (request.headers.authorization !== `Bearer ${API_KEY}`) return problem(response, 401, 'unauthorized');
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') this.keysSeen.add(key);
    if (faults.closeConnections === true) response.setHeader('connection', 'close');
    if (nth(faults.hangEvery)) return;
    if (nth(faults.cutEvery)) return void request.socket.destroy();
    if (nth(faults.errorEvery)) return problem(response, 500, 'internal');
    if (nth(faults.overloadedEvery)) return problem(response, 503, 'overloaded');
    await this.#stall();
    const code: unknown = Object(body).code;
    if (typeof code === 'string') return this.#redeem(response, code, nth);
    if (!isValid(body) && faults.acceptInvalid !== true) return problem(response, 400, 'invalid');
    const entrance = entranceOf(pathname);
    if (nth(faults.emptyEvery))
      return send(response, ROAD_CONTRACTS[entrance].status, { success: true, status: 'QUEUED' });
    const order = this.#decide(entrance, body, nth);
    if (nth(faults.cutAfterEvery)) return void request.socket.destroy();
    if (typeof order === 'string') return problem(response, 409, order);
    if (nth(faults.ghostEvery)) return problem(response, 409, 'sold-out');
    send(response, ROAD_CONTRACTS[entrance].status, grantOf(entrance, order));
  }

  #decide(entrance: Entrance, body: unknown, nth: Nth): Order | 'sold-out' | 'limit-reached' {
    const { faults } = this;
    const quantity = isValid(body) ? numberIn(body, 'quantity') : 1;
    return this.#ledger.decide(entrance, stringIn(body, 'userId'), quantity, {
      forget: nth(faults.loseEvery),
      repeat: nth(faults.repeatEvery),
      twin: nth(faults.twinEvery),
      misplace: nth(faults.misplaceEvery),
      cancel: nth(faults.cancelEvery),
      stick: nth(faults.stickEvery),
      reject: nth(faults.rejectEvery),
    });
  }

  #redeem(response: ServerResponse, code: string, nth: Nth): void {
    const { faults } = this;
    const isForgotten = nth(faults.forgetCodeEvery);
    const order = isForgotten ? null : this.#ledger.redeem(code, nth(faults.ignoreCodeEvery));
    if (order === null) {
      const [status, slug] = isForgotten
        ? ([404, 'code-not-found'] as const)
        : ([410, 'code-expired'] as const);
      problem(response, status, slug);
    } else {
      const id = nth(faults.swapCodeEvery) ? '018f0000-0000-7000-8000-000000000000' : order.id;
      send(response, ROAD_CONTRACTS.redeem.status, grantOf('redeem', { ...order, id }));
    }
  }

  async #stall(): Promise<void> {
    if (this.faults.stallOnceMs === undefined) return;
    if (this.#stalledUntilMs === 0) this.#stalledUntilMs = performance.now() + this.faults.stallOnceMs;
    const restMs = this.#stalledUntilMs - performance.now();
    if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs));
  }

  #audit() {
    const violations = this.faults.auditFails === true ? 1 : 0;
    return { ok: violations === 0, invariants: [{ id: 1, title: 'Conservation', violations }] };
  }
}

function isValid(body: unknown): boolean {
  const { productId, quantity } = Object(body);
  return Number.isInteger(productId) && Number.isInteger(quantity) && quantity > 0;
}

function entranceOf(pathname: string): Entrance {
  if (pathname === ROAD_CONTRACTS.checkout.path) return 'checkout';
  return pathname === ROAD_CONTRACTS.queued.path ? 'queued' : 'direct';
}

/** The grant that this way to buy promises, whatever the ledger did with the order. */
function grantOf(road: Road, order: Order): object {
  const message = 'Yours.';
  if (road === 'queued') return { order_id: order.id, status: 'QUEUED', message };
  const shown = { ...order, productId: 7, status: road === 'checkout' ? 'RESERVED' : 'CONFIRMED' };
  return { success: true, message, order: shown, ...(road === 'checkout' ? { code: codeOf(order) } : {}) };
}
