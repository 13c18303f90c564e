import { readFile } from 'node:fs/promises';
import type { Routine } from '../platform/migrations.js';

// In order of use: a function comes after those that it calls.
const names = [
  'announce',
  'order-view',
  'draw-prize',
  'await-payments',
  'decide-queued',
  'decide',
  'accept',
  'move-order',
  'move-payment',
  'settle',
  'expire',
] as const;

/** The ledger's SQL functions, as text; `migrate` installs them. */
export async function readRoutines(): Promise<Routine[]> {
  return Promise.all(
    names.map(async name => ({
      name,
      sql: await readFile(new URL(`./${name}.sql`, import.meta.url), 'utf8'),
    })),
  );
}
