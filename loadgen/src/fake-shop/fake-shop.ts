import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * A shop that keeps the engine's contract in memory, and breaks it on demand: a verdict that cannot fail proves nothing.
 * Each number n means "at every nth purchase".
 */
export interface Faults {
  /** Acknowledges an order and forgets it. */
  loseEvery?: number;
  /** Sells on when nothing is left, and does not count it. */
  oversell?: boolean;
  /** Refuses while this many units are left. */
  keepBack?: number;
  /** Acknowledges the order of the shopper before. */
  repeatEvery?: number;
  /** Keeps an order and tells the shopper that it is sold out. */
  ghostEvery?: number;
  /** Lists the order under another shopper. */
  misplaceEvery?: number;
  /** Lists the order as cancelled. */
  cancelEvery?: number;
  errorEvery?: number;
  overloadedEvery?: number;
  hangEvery?: number;
  /** Cuts the connection before anything is decided. */
  cutEvery?: number;
  /** Decides, then cuts the connection instead of answering. */
  cutAfterEvery?: number;
  /** Answers 200 without an order. */
  emptyEvery?: number;
  /** Each answer closes its connection. */
  closeConnections?: boolean;
  /** Once, holds all answers for so long. */
  stallOnceMs?: number;
  auditFails?: boolean;
  /** Sold counts one more than there are orders. */
  miscount?: boolean;
}

export interface FakeShop {
  readonly url: string;
  readonly keysSeen: ReadonlySet<string>;
  /** Purchases that arrived. */
  readonly arrived: number;
  readonly endedSales: readonly number[];
  stop(): Promise<void>;
}

export const API_KEY = 'fake-api-key';
export const OPERATOR_TOKEN = 'fake-operator-token';
const PAGE_ORDERS_MAX = 100;

interface Order {
  readonly id: string;
  readonly shopperId: string;
  readonly quantity: number;
  readonly status: string;
}

interface Purchase {
  readonly productId: number;
  readonly quantity: number;
  readonly userId: string;
}

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

class Shop {
  readonly keysSeen = new Set<string>();
  readonly endedSales: number[] = [];
  arrived = 0;
  #allocation = 0;
  #sold = 0;
  readonly #orders: Order[] = [];
  #stalledUntilMs = 0;

  constructor(readonly faults: Faults) {}

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake');
    if (pathname === '/api/purchase') return this.#purchase(request, response, body);
    if (pathname.startsWith('/api/stock/')) return send(response, 200, this.#stock());
    if (request.headers.authorization !== `Bearer ${OPERATOR_TOKEN}`)
      return problem(response, 401, 'unauthorized');
    if (pathname === '/api/admin/products') return send(response, 201, { id: 7 });
    if (pathname === '/api/admin/sales') {
      this.#allocation = numberIn(body, 'allocation');
      return send(response, 201, { id: 3 });
    }
    if (pathname === '/api/admin/sales/3/end') {
      this.endedSales.push(3);
      return send(response, 200, { id: 3 });
    }
    if (pathname === '/api/admin/orders') return send(response, 200, this.#page(searchParams.get('after')));
    if (pathname === '/api/admin/audit') return send(response, 200, this.#audit());
    problem(response, 404, 'not-found');
  }

  async #purchase(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    this.arrived += 1;
    const { faults } = this;
    const nth = (every: number | undefined) => every !== undefined && this.arrived % every === 0;
    if (request.headers.authorization !== `Bearer ${API_KEY}`) return problem(response, 401, 'unauthorized');
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') this.keysSeen.add(key);
    if (faults.closeConnections === true) response.setHeader('connection', 'close');
    const cutAfter = nth(faults.cutAfterEvery);
    const isFaulty = nth(faults.misplaceEvery) ? 'misplace' : nth(faults.cancelEvery) ? 'cancel' : null;
    const forget = nth(faults.loseEvery);
    const ghost = nth(faults.ghostEvery);
    const repeat = nth(faults.repeatEvery);
    const empty = nth(faults.emptyEvery);
    if (nth(faults.hangEvery)) return;
    if (nth(faults.cutEvery)) return void request.socket.destroy();
    if (nth(faults.errorEvery)) return problem(response, 500, 'internal');
    if (nth(faults.overloadedEvery)) return problem(response, 503, 'overloaded');
    await this.#stall();
    if (empty) return send(response, 200, { success: true });
    const order = this.#decide(toPurchase(body), { forget, repeat, isFaulty });
    if (cutAfter) return void request.socket.destroy();
    if (order === null || ghost) return problem(response, 409, 'sold-out');
    const answer = { ...order, productId: 7, status: 'CONFIRMED' };
    send(response, 200, { success: true, message: 'Yours.', order: answer });
  }

  #decide(
    purchase: Purchase,
    how: { forget: boolean; repeat: boolean; isFaulty: string | null },
  ): Order | null {
    const left = this.#allocation - this.#sold;
    if (left <= (this.faults.keepBack ?? 0) && this.faults.oversell !== true) return null;
    const last = this.#orders.at(-1);
    if (how.repeat && last !== undefined) return last;
    const order = {
      id: randomUUID(),
      shopperId: how.isFaulty === 'misplace' ? 'somebody else' : purchase.userId,
      quantity: purchase.quantity,
      status: how.isFaulty === 'cancel' ? 'CANCELLED' : 'CONFIRMED',
    };
    if (!how.forget) this.#orders.push(order);
    if (left > 0) this.#sold += 1;
    return order;
  }

  async #stall(): Promise<void> {
    if (this.faults.stallOnceMs === undefined) return;
    if (this.#stalledUntilMs === 0) this.#stalledUntilMs = performance.now() + this.faults.stallOnceMs;
    const restMs = this.#stalledUntilMs - performance.now();
    if (restMs > 0) await new Promise(resolve => setTimeout(resolve, restMs));
  }

  #stock() {
    const sold = this.#sold + (this.faults.miscount === true && this.#sold > 0 ? 1 : 0);
    const stock = this.#allocation - sold;
    return {
      success: true,
      productId: 7,
      saleId: 3,
      stock,
      reserved: 0,
      sold,
      allocation: this.#allocation,
      state: 'open',
    };
  }

  #page(after: string | null) {
    const from = after === null ? 0 : Number(after);
    const orders = this.#orders.slice(from, from + PAGE_ORDERS_MAX);
    const next = from + PAGE_ORDERS_MAX < this.#orders.length ? String(from + PAGE_ORDERS_MAX) : null;
    return { orders, next };
  }

  #audit() {
    const violations = this.faults.auditFails === true ? 1 : 0;
    return { ok: violations === 0, invariants: [{ id: 1, title: 'Conservation', violations }] };
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', 511, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The fake shop has no port.');
  return address.port;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? null : JSON.parse(text);
}

function toPurchase(body: unknown): Purchase {
  const userId: unknown = Object(body).userId;
  if (typeof userId !== 'string') throw new Error('The purchase names no shopper.');
  return { userId, productId: numberIn(body, 'productId'), quantity: numberIn(body, 'quantity') };
}

function numberIn(body: unknown, name: string): number {
  const value: unknown = Object(body)[name];
  if (typeof value !== 'number') throw new Error(`${name} is not a number.`);
  return value;
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, slug: string): void {
  const body = {
    type: `https://doorbuster.dev/problems/${slug}`,
    title: slug,
    status,
    success: false,
    message: slug,
  };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
