import type { Pool } from '../../src/platform/postgres.js';
import { type Answer, serviceHeaders, type TestApi } from './api.js';

export const card = 'card_9f2';
export const roads = ['/api/purchase', '/api/checkout', '/api/orders'];

export type Body = Record<string, unknown> & { productId: number };

export function buy(api: TestApi, path: string, body: Body, key?: string): Promise<Answer> {
  const headers = key === undefined ? serviceHeaders : { ...serviceHeaders, 'idempotency-key': key };
  return api.request('POST', path, { body, headers });
}

export async function unitsByKind(pool: Pool): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ kind: string; units: number }>(
    'select kind, sum(units) as units from digest_allowances group by kind',
  );
  return Object.fromEntries(rows.map(({ kind, units }) => [kind, units]));
}
