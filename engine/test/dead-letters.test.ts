import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Role } from '../src/app/roles.js';
import type { Pool } from '../src/platform/postgres.js';
import { serviceHeaders, startTestApi, type TestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { decidedStandings, postOrder, queueOrder, standingOf } from './support/queued.js';
import { faultsEnabled } from './support/queued-faults.js';
import { createTestSale, openAndClose, stockOf } from './support/sale.js';

const path = '/api/admin/dead-letters';

describe('an order that fails permanently', () => {
  it('ends as FAILED with its reason, takes nothing, and leaves a dead letter for operators', async () => {
    const { api, pool, productId, saleId } = await start();
    const orderId = await queueOrder(api, { productId, userId: 'a', quantity: 2, forceFail: true });

    expect(await decidedStandings(pool, [orderId])).toEqual(['FAILED force-fail']);

    expect(await standingOf(api, orderId, 'a')).toBe('FAILED force-fail');
    const [letter] = await listLetters(api);
    expect(letter).toEqual({
      id: expect.any(Number),
      saleId,
      orderId,
      shopperId: 'a',
      quantity: 2,
      source: 'queue',
      reason: 'force-fail',
      error: expect.stringContaining('forceFail'),
      deliveries: 1,
      status: 'COMPENSATED',
      orderStatus: 'FAILED',
      createdAt: expect.any(String),
      resolvedAt: null,
    });
    expect((await api.asOperator('GET', `${path}/${letter?.id}`)).body).toEqual(letter);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 100, reserved: 0, sold: 0 });
    await expectCleanAudit(pool);
  });

  it('can be requested only where faults are enabled', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool);
    const api = await startTestApi(url);
    const answer = await postOrder(api, { productId, userId: 'a', forceFail: true });
    expect(answer).toMatchObject({ status: 400, slug: 'invalid' });
  });
});

describe('a dead letter', () => {
  it.each(['replay', 'discard'])(
    'shows in a dry run what a %s would do, without changing anything',
    async verb => {
      const { api, pool, productId } = await start();
      const letter = await failOrder(api, pool, productId);
      const before = await contentsOf(pool);

      const { status, body } = await resolve(api, letter.id, verb, { dryRun: true });

      const outcome = verb === 'replay' ? 'replayed' : 'discarded';
      const deadLetter = { ...letter, status: outcome.toUpperCase(), resolvedAt: expect.any(String) };
      const orderStatus = verb === 'replay' ? 'QUEUED' : 'FAILED';
      expect({ status, body }).toEqual({
        status: 200,
        body: { outcome, dryRun: true, deadLetter: { ...deadLetter, orderStatus } },
      });
      expect(await contentsOf(pool)).toEqual(before);
      // The negative control: the real action does show.
      await resolve(api, letter.id, verb);
      expect(await contentsOf(pool)).not.toEqual(before);
    },
  );

  it('that is replayed has its order decided like any other; a second replay has no effect', async () => {
    const { api, pool, productId, saleId } = await start();
    const letter = await failOrder(api, pool, productId);

    expect(await resolve(api, letter.id, 'replay')).toMatchObject({
      status: 200,
      body: { outcome: 'replayed', dryRun: false, deadLetter: { status: 'REPLAYED' } },
    });
    expect(await decidedStandings(pool, [letter.orderId])).toEqual(['CONFIRMED']);
    await until('its message is settled', async () => (await countMessages(pool)) === 0);
    const before = await contentsOf(pool);
    for (const verb of ['replay', 'discard']) {
      expect(await resolve(api, letter.id, verb)).toMatchObject({
        status: 200,
        body: { outcome: 'already-resolved', deadLetter: { status: 'REPLAYED' } },
      });
    }

    expect(await contentsOf(pool)).toEqual(before);
    expect(await stockOf(pool, saleId)).toMatchObject({ available: 99, sold: 1 });
    await expectCleanAudit(pool);
  });

  it("can be replayed after its sale's window has closed: the order was accepted in time", async () => {
    const { api, pool, productId, saleId } = await start();
    const letter = await failOrder(api, pool, productId);
    await pool.query(
      `update sales set starts_at = starts_at - interval '1 hour', ends_at = starts_at - interval '1 minute'
       where sale_id = $1`,
      [saleId],
    );
    await openAndClose(pool);
    expect((await pool.query('select status from sales')).rows).toEqual([{ status: 'ended' }]);

    await resolve(api, letter.id, 'replay');

    expect(await decidedStandings(pool, [letter.orderId])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });

  it('is replayed once when two operators replay it at the same time', async () => {
    const { api, pool, productId } = await start();
    const letter = await failOrder(api, pool, productId);

    const answers = await Promise.all([1, 2, 3, 4].map(() => resolve(api, letter.id, 'replay')));

    const outcomes = answers.map(({ body }) => body.outcome);
    expect(outcomes.sort()).toEqual([...Array(3).fill('already-resolved'), 'replayed']);
    expect(await decidedStandings(pool, [letter.orderId])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });

  it('that is discarded leaves its order unchanged, and can no longer be replayed', async () => {
    const { api, pool, productId } = await start();
    const letter = await failOrder(api, pool, productId);

    expect((await resolve(api, letter.id, 'discard')).body.outcome).toBe('discarded');
    const before = await contentsOf(pool);
    const replayed = await resolve(api, letter.id, 'replay');

    expect(replayed).toMatchObject({ status: 200, body: { outcome: 'already-resolved' } });
    expect(await contentsOf(pool)).toEqual(before);
    expect(await standingOf(api, letter.orderId, 'a')).toBe('FAILED force-fail');
    await expectCleanAudit(pool);
  });

  it('that is not compensated yet can be neither replayed nor discarded; an unknown id is 404', async () => {
    const { api, pool, productId } = await start(['worker']);
    await queueOrder(api, { productId, userId: 'a', forceFail: true });
    const letter = await until('there is a dead letter', async () => (await listLetters(api))[0]);
    await until('its message is settled', async () => (await countMessages(pool)) === 0);
    expect(letter).toMatchObject({ status: 'NEW', orderStatus: 'QUEUED' });
    const before = await contentsOf(pool);

    for (const verb of ['replay', 'discard']) {
      const answer = await resolve(api, letter.id, verb);
      expect(answer).toMatchObject({ status: 409, slug: 'not-replayable' });
      expect(await resolve(api, 999, verb)).toMatchObject({ status: 404, slug: 'dead-letter-not-found' });
    }

    expect(await api.asOperator('GET', `${path}/999`)).toMatchObject({ slug: 'dead-letter-not-found' });
    expect(await contentsOf(pool)).toEqual(before);
  });

  it("is hidden from shoppers and from the shop's server", async () => {
    const { api, pool, productId } = await start();
    const { id } = await failOrder(api, pool, productId);
    const calls = [
      ['GET', path],
      ['GET', `${path}/${id}`],
      ['POST', `${path}/${id}/replay`],
      ['POST', `${path}/${id}/discard`],
    ] as const;
    for (const [method, target] of calls) {
      expect((await api.request(method, target, { headers: serviceHeaders })).status).toBe(403);
      expect((await api.request(method, target, { headers: {} })).status).toBe(401);
    }
  });

  it('is listed page by page, newest first, and by status', async () => {
    const { api, pool, productId } = await start();
    for (let i = 0; i < 5; i++) await failOrder(api, pool, productId, `s${i}`);
    const all = await listLetters(api);
    expect(all.map(({ shopperId }) => shopperId)).toEqual(['s4', 's3', 's2', 's1', 's0']);
    await resolve(api, all[1]?.id ?? 0, 'discard');

    const pages: number[][] = [];
    let next: number | null = null;
    do {
      const before: string = next === null ? '' : `&before=${next}`;
      const { body } = await api.asOperator('GET', `${path}?limit=2${before}`);
      const page = pageSchema.parse(body);
      pages.push(page.deadLetters.map(({ id }) => id));
      next = page.next;
    } while (next !== null);

    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(all.map(({ id }) => id));
    expect(await listLetters(api, '?status=DISCARDED')).toHaveLength(1);
    expect(await listLetters(api, '?status=COMPENSATED')).toHaveLength(4);
    expect((await api.asOperator('GET', `${path}?limit=1001`)).status).toBe(400);
  });
});

const letterSchema = z.looseObject({ id: z.number(), orderId: z.uuid(), shopperId: z.string() });
const pageSchema = z.object({ deadLetters: z.array(letterSchema), next: z.number().nullable() });
type Letter = z.infer<typeof letterSchema>;

async function start(roles: readonly Role[] = ['worker', 'compensator']) {
  const { url, pool } = await createTestDatabase();
  const { productId, saleId } = await createTestSale(pool);
  const api = await startTestApi(url, faultsEnabled, { roles: ['api', ...roles] });
  return { api, pool, productId, saleId };
}

/** @returns the dead letter of an order that has failed and is compensated. */
async function failOrder(api: TestApi, pool: Pool, productId: number, userId = 'a'): Promise<Letter> {
  const orderId = await queueOrder(api, { productId, userId, forceFail: true });
  await decidedStandings(pool, [orderId]);
  await until('its message is settled', async () => (await countMessages(pool)) === 0);
  const [letter] = await listLetters(api);
  if (letter?.orderId !== orderId) throw new Error('the newest letter is another one');
  return letter;
}

async function listLetters(api: TestApi, query = ''): Promise<Letter[]> {
  return pageSchema.parse((await api.asOperator('GET', `${path}${query}`)).body).deadLetters;
}

function resolve(api: TestApi, id: number, verb: string, body?: { dryRun: boolean }) {
  return api.asOperator('POST', `${path}/${id}/${verb}`, body);
}

const tables = [
  ...['orders', 'journal', 'stock', 'allowances', 'attempts', 'payments', 'payment_journal'],
  ...['dead_letters', 'queue_messages'],
];

/** A hash of each table that an order changes. */
async function contentsOf(pool: Pool): Promise<unknown> {
  const columns = tables.map(
    name => `(select md5(string_agg(t::text, '|' order by t::text)) from ${name} t) as ${name}`,
  );
  return (await pool.query(`select ${columns.join(', ')}`)).rows[0];
}

async function countMessages(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from queue_messages');
  return rows[0]?.count ?? 0;
}
