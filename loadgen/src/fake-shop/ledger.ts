import { randomUUID } from 'node:crypto';
import type { Entrance } from '../contract/road.js';
import type { Faults } from './faults.js';

export interface Order {
  readonly id: string;
  readonly shopperId: string;
  readonly quantity: number;
  status: string;
  reason: string | null;
}

/** Faults of one request, beyond those of the shop. */
export interface Slips {
  readonly forget: boolean;
  readonly repeat: boolean;
  readonly twin: boolean;
  readonly misplace: boolean;
  readonly cancel: boolean;
  readonly stick: boolean;
  readonly reject: boolean;
}

interface Held {
  readonly order: Order;
  readonly endsAtMs: number;
}

interface Queued {
  readonly order: Order;
  readonly dueAtMs: number;
  readonly reject: boolean;
}

const DECIDED_AFTER_MS = 20;
const PAGE_ORDERS_MAX = 100;

/** Units and orders in memory. Each query first ends lapsed holds and decides queued orders. */
export class Ledger {
  allocation = 0;
  perUserLimit = 0;
  holdMs = 0;
  #sold = 0;
  #reserved = 0;
  readonly #orders: Order[] = [];
  readonly #unitsOf = new Map<string, number>();
  readonly #held: Held[] = [];
  readonly #queue: Queued[] = [];

  constructor(readonly faults: Faults) {}

  decide(
    entrance: Entrance,
    shopperId: string,
    quantity: number,
    slips: Slips,
  ): Order | 'sold-out' | 'limit-reached' {
    this.#pass();
    const units = (this.#unitsOf.get(shopperId) ?? 0) + quantity;
    if (units > this.perUserLimit && this.faults.ignoreLimit !== true) return 'limit-reached';
    if (this.#left <= (this.faults.keepBack ?? 0) && this.faults.oversell !== true) return 'sold-out';
    this.#unitsOf.set(shopperId, units);
    const last = this.#orders.at(-1);
    if (slips.repeat && last !== undefined) return last;
    const order: Order = {
      id: randomUUID(),
      shopperId: slips.misplace ? 'another shopper' : shopperId,
      quantity,
      status: slips.cancel ? 'CANCELLED' : 'CONFIRMED',
      reason: null,
    };
    if (!slips.forget) this.#orders.push(order);
    if (slips.twin) this.#orders.push({ ...order, id: randomUUID(), status: 'CONFIRMED' });
    if (entrance === 'queued') this.#enqueue(order, slips);
    else if (entrance === 'checkout') this.#hold(order, slips);
    else if (this.#left > 0) this.#sold += 1;
    return order;
  }

  /** Returns null if the code is unknown or its hold has lapsed. */
  redeem(code: string, isIgnored: boolean): Order | null {
    this.#pass();
    const at = this.#held.findIndex(({ order }) => code === codeOf(order));
    const order = this.#held[at]?.order;
    if (order === undefined || isIgnored) return order ?? null;
    this.#held.splice(at, 1);
    this.#reserved -= 1;
    this.#sold += 1;
    order.status = 'CONFIRMED';
    return order;
  }

  stock() {
    this.#pass();
    const sold = this.#sold + (this.faults.miscount === true && this.#sold > 0 ? 1 : 0);
    const { allocation } = this;
    const stock = allocation - sold - this.#reserved;
    return {
      success: true,
      productId: 7,
      saleId: 3,
      stock,
      reserved: this.#reserved,
      sold,
      allocation,
      state: 'open',
    };
  }

  page(after: string | null) {
    this.#pass();
    const from = after === null ? 0 : Number(after);
    const orders = this.#orders.slice(from, from + PAGE_ORDERS_MAX);
    const next = from + PAGE_ORDERS_MAX < this.#orders.length ? String(from + PAGE_ORDERS_MAX) : null;
    return { orders, next };
  }

  get #left(): number {
    return this.allocation - this.#sold - this.#reserved;
  }

  #hold(order: Order, { cancel }: Slips): void {
    if (!cancel) order.status = 'RESERVED';
    if (this.#left <= 0) return;
    this.#reserved += 1;
    this.#held.push({ order, endsAtMs: performance.now() + this.holdMs });
  }

  #enqueue(order: Order, { cancel, stick, reject }: Slips): void {
    if (cancel) return;
    order.status = 'QUEUED';
    if (!stick) this.#queue.push({ order, dueAtMs: performance.now() + DECIDED_AFTER_MS, reject });
  }

  #pass(): void {
    const nowMs = performance.now();
    while ((this.#held[0]?.endsAtMs ?? Number.POSITIVE_INFINITY) <= nowMs && !this.faults.neverExpires) {
      this.#lapse(this.#held.shift());
    }
    while ((this.#queue[0]?.dueAtMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#settle(this.#queue.shift());
  }

  #lapse(held: Held | undefined): void {
    if (held === undefined) return;
    const isConfirmed = this.faults.confirmsLapsed === true;
    this.#reserved -= 1;
    if (isConfirmed) this.#sold += 1;
    held.order.status = isConfirmed ? 'CONFIRMED' : 'EXPIRED';
  }

  #settle(queued: Queued | undefined): void {
    if (queued === undefined) return;
    const { order, reject } = queued;
    if (reject || this.#left <= 0) {
      order.status = 'REJECTED';
      order.reason = reject ? 'limit-reached' : 'sold-out';
    } else {
      order.status = 'CONFIRMED';
      this.#sold += 1;
    }
  }
}

export function codeOf(order: Order): string {
  return `code-of-${order.id}`;
}
