import { describe, expect, it } from 'vitest';
import type { Pool } from '../src/platform/postgres.js';
import { createTestDatabase } from './support/database.js';

/**
 * Rows that grow with the purchases of a sale can be sharded by sale if each row has its sale and its keys begin
 * with it. The tables below are written at most once in an order's life, off the hot path; docs/scale.md says how
 * they would be sharded. A new table belongs here, or leads with `sale_id`.
 */
const beside = [
  ...[
    'attempts_kept',
    'commit_probe',
    'dead_letters',
    'id_allocations',
    'id_counters',
    'operator_actions',
    'operator_sessions',
    'order_transitions',
    'payment_journal',
    'payments',
  ],
  ...[
    'products',
    'queue_messages',
    'queue_watch',
    'sale_series',
    'rehearsals',
    'schema_migrations',
    'schema_routines',
    'sold_summed_at',
  ],
  ...['webhook_cursor', 'webhook_deliveries', 'webhook_endpoints', 'webhook_events'],
];

describe('the schema', () => {
  it('has every hot table lead with the sale, so that it can be sharded by sale', async () => {
    const { pool } = await createTestDatabase();
    const leading = await leadingColumns(pool);
    expect(leading.filter(({ name }) => !beside.includes(name)).map(({ name }) => name)).toEqual([
      'allowances',
      'attempts',
      'digest_allowances',
      'journal',
      'orders',
      'sale_journal',
      'sales',
      'sold_by_hour',
      'sold_summed',
      'spent_challenges',
      'stock',
    ]);
    expect(strangers(leading)).toEqual([]);
  });

  it('fails this check when a new table does not lead with it', async () => {
    const { pool } = await createTestDatabase();
    await pool.query(
      'create table wishes (shopper_id text, sale_id bigint, primary key (shopper_id, sale_id))',
    );
    expect(strangers(await leadingColumns(pool))).toEqual(['wishes']);
  });
});

type Table = { name: string; leads_with: string };

function strangers(tables: readonly Table[]): string[] {
  return tables
    .filter(({ name, leads_with }) => !beside.includes(name) && leads_with !== 'sale_id')
    .map(({ name }) => name);
}

/** The first column of each table's primary key or, without one, of the table itself. */
async function leadingColumns(pool: Pool): Promise<Table[]> {
  const { rows } = await pool.query<Table>(`
    select t.relname as name, a.attname as leads_with
      from pg_class t
      left join pg_index i on i.indrelid = t.oid and i.indisprimary
      join pg_attribute a on a.attrelid = t.oid and a.attnum = coalesce(i.indkey[0], 1)
     where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
     order by t.relname`);
  return rows;
}
