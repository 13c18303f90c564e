import { readFile } from 'node:fs/promises';
import type { Routine } from '../platform/migrations.js';

// In order of dependency: a function comes after those that it calls.
const names = [
  'await-standby',
  'order-view',
  'draw-prize',
  'decline-limit',
  'await-payments',
  'digest-allowances',
  'decide-queued',
  'decide',
  'accept',
  'move-order',
  'move-payment',
  'settle',
  'expire',
] as const;
// Queue and ids are above the ledger in the order of imports: this reads the text of their functions and imports no
// module.
const queueNames = ['lease-messages', 'settle-messages'] as const;
const idsNames = ['allocate-ids'] as const;

/** The SQL functions of the ledger, of the queue and of ids, as text; `migrate` installs them. */
export async function readRoutines(): Promise<Routine[]> {
  return Promise.all([
    ...names.map(name => read(name, './')),
    ...queueNames.map(name => read(name, '../queue/')),
    ...idsNames.map(name => read(name, '../ids/')),
  ]);
}

async function read(name: string, folder: './' | '../queue/' | '../ids/'): Promise<Routine> {
  return { name, sql: await readFile(new URL(`${folder}${name}.sql`, import.meta.url), 'utf8') };
}
