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
  'accept-late',
  'move-order',
  'move-payment',
  'settle',
  'expire',
] as const;
// The queue stands above the ledger: the text of its functions is read here, no module of it is imported.
const queueNames = ['fetch-messages', 'settle-messages'] as const;

/** The SQL functions of the ledger and of the queue, as text; `migrate` installs them. */
export async function readRoutines(): Promise<Routine[]> {
  return Promise.all([
    ...names.map(name => read(name, './')),
    ...queueNames.map(name => read(name, '../queue/')),
  ]);
}

async function read(name: string, folder: './' | '../queue/'): Promise<Routine> {
  return { name, sql: await readFile(new URL(`${folder}${name}.sql`, import.meta.url), 'utf8') };
}
