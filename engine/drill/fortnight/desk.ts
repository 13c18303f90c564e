import { z } from 'zod';
import type { Answer } from '../call.js';
import type { Shop } from './shop.js';

/** One part of the simulation: it acts at each step and reports what it finds wrong. */
export type Actor = { act(hour: number): Promise<void> };

export type Complain = (breach: string) => void;

/** Shared by the actors: calls, and checks of their answers. */
export type Desk = ReturnType<typeof createDesk>;

const problemSchema = z.object({ type: z.string() });
const boughtSchema = z.object({ order: z.object({ id: z.string(), status: z.string() }) });
const idSchema = z.object({ id: z.number() });

export function createDesk(shop: Shop, complain: Complain) {
  /** A refusal is identified by its slug, any other answer by its status. */
  function expect(what: string, answer: Answer, ...expected: (number | string)[]): boolean {
    const { status, body } = answer;
    const slug = status < 400 ? '' : (problemSchema.safeParse(body).data?.type.split('/').at(-1) ?? '');
    if (expected.includes(status) || expected.includes(slug)) return true;
    complain(`${what}: ${status} ${slug}, expected ${expected.join(' or ')}`);
    return false;
  }

  return {
    shop,
    complain,
    expect,
    buy: (path: string, userId: string, body: object, idempotencyKey?: string) =>
      shop.call('POST', path, { body: { userId, ...body }, idempotencyKey }),
    async createProduct(name: string): Promise<number> {
      const body = { name, priceMinor: 1000, currency: 'EUR' };
      return idSchema.parse((await shop.call('POST', '/api/admin/products', { body })).body).id;
    },
    /** Opens a sale now for one day; the next day opens its own. */
    async openSale(terms: object): Promise<void> {
      const now = shop.clock.now().getTime();
      const window = { startsAt: isoOf(now - minuteMs), endsAt: isoOf(now + 23.9 * 60 * minuteMs) };
      const body = { allocation: 10_000, perUserLimit: 100, ...terms, ...window };
      expect('a sale of the day', await shop.call('POST', '/api/admin/sales', { body }), 201);
    },
    orderOf: ({ body }: Answer) => boughtSchema.parse(body).order,
  };
}

export const minuteMs = 60_000;
export const isoOf = (atMs: number) => new Date(atMs).toISOString();

/** The first step of a day. */
export const isMorning = (hour: number) => hour % 24 === 0;
