import { describe, expect, it } from 'vitest';
import { orderStatuses } from '../src/ledger/order-record.js';
import { readRoutines } from '../src/ledger/routines.js';
import { checkSchema, type Migration, migrate, readMigrations } from '../src/platform/migrations.js';
import type { Pool } from '../src/platform/postgres.js';
import { startTestApi } from './support/api.js';
import { expectCleanAudit } from './support/audit.js';
import { createTestDatabase } from './support/database.js';
import { fillDatabase } from './support/filled-database.js';
import { decidedStandings } from './support/queued.js';
import { createTestSale } from './support/sale.js';

/**
 * What a later build may add: columns on tables whose rows the functions read and write as a whole, an index, a
 * table.
 */
const gifts = later(`
  alter table orders add column gift_note text, add constraint orders_gift_note_is_bounded check (length(gift_note) <= 200);
  alter table sales add column offers_gifts boolean not null default false;
  alter table payments add column gift_card text;
  alter table attempts add column is_gift boolean not null default false;
  create index orders_as_gifts on orders (sale_id) where gift_note is not null;
  create table gift_wraps (sale_id bigint not null, order_id uuid not null, constraint gift_wraps_pkey primary key (sale_id, order_id))`);

describe('a database of this version', () => {
  it('is filled for these tests with rows in every table, and with orders and payments of every status', async () => {
    const { pool } = await createTestDatabase();
    await fillDatabase(pool);

    const rows = await readRows(pool, await listTables(pool));
    expect(Object.keys(rows).length).toBeGreaterThan(25);
    expect(Object.entries(rows).filter(([, { length }]) => length === 0)).toEqual([]);
    expect(await statusesOf(pool, 'orders')).toEqual([...orderStatuses].sort());
    const paid = ['CANCELLED', 'CAPTURED', 'DECLINED', 'PENDING', 'REFUNDED', 'REFUND_DUE'];
    expect(await statusesOf(pool, 'payments')).toEqual(paid);
    await expectCleanAudit(pool);
  });

  it('keeps every row when it is migrated forward, and its queued order is decided afterwards', async () => {
    const { url, pool } = await createTestDatabase();
    const waiting = await fillDatabase(pool);
    const tables = await listTables(pool);
    const before = await readRows(pool, tables);
    const routines = await readRoutines();
    const known = [...(await readMigrations()), gifts];
    await expect(checkSchema(pool, routines, known)).rejects.toMatchObject({
      code: 'SCHEMA_BEHIND',
      message: expect.stringContaining(gifts.name),
    });

    expect(await migrate(pool, routines, known)).toEqual([gifts.name]);

    await checkSchema(pool, routines, known);
    expect(await readRows(pool, tables)).toEqual(before);
    await expectCleanAudit(pool);
    await startTestApi(url, {}, { roles: ['worker', 'api'] });
    expect(await decidedStandings(pool, [waiting])).toEqual(['CONFIRMED']);
    await expectCleanAudit(pool);
  });

  it.each([
    `update payments set captured_currency = null where status = 'CAPTURED'`,
    `delete from webhook_deliveries`,
    `alter table orders drop column reason, add column reason text`,
  ])('fails this check if a migration loses something, as with "%s": the negative control', async sql => {
    const { pool } = await createTestDatabase();
    await fillDatabase(pool);
    const tables = await listTables(pool);
    const before = await readRows(pool, tables);

    await migrate(pool, [], [...(await readMigrations()), later(sql)]);

    expect(await readRows(pool, tables)).not.toEqual(before);
  });

  it('is migrated forward under a running process, which goes on selling', async () => {
    const { url, pool } = await createTestDatabase();
    const { productId } = await createTestSale(pool, { allocation: 2 });
    const api = await startTestApi(url);
    expect((await api.purchase({ productId, userId: 'before' })).status).toBe(200);

    await migrate(pool, await readRoutines(), [...(await readMigrations()), gifts]);

    expect((await api.purchase({ productId, userId: 'after' })).status).toBe(200);
    expect((await api.purchase({ productId, userId: 'late' })).slug).toBe('sold-out');
    await api.drain();
    await expectCleanAudit(pool);
  });
});

function later(sql: string): Migration {
  return { version: 9001, name: '9001_later.sql', sql, checksum: 'of the test' };
}

type Table = { name: string; columns: string };

/** The engine's tables with their current columns, without those of the migrator itself. */
async function listTables(pool: Pool): Promise<Table[]> {
  const { rows } = await pool.query<Table>(`
    select t.relname as name, string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns
    from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
      and t.relname not in ('schema_migrations', 'schema_routines')
    group by t.relname order by t.relname`);
  return rows;
}

async function readRows(pool: Pool, tables: readonly Table[]): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const { name, columns } of tables) {
    const { rows } = await pool.query<{ row: string }>(
      `select row(${columns})::text as row from ${name} order by row`,
    );
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

async function statusesOf(pool: Pool, table: 'orders' | 'payments'): Promise<string[]> {
  const { rows } = await pool.query<{ status: string }>(`select distinct status from ${table}`);
  return rows.map(({ status }) => status).sort();
}
