import { OperatingError } from './errors.js';
import type { Pool } from './postgres.js';

// A session inherits the last four from its role, its database or the server's configuration.
const required = [
  { name: 'server_encoding', pattern: /^UTF8$/, wanted: 'UTF8' },
  { name: 'DateStyle', pattern: /^ISO\b/, wanted: 'ISO' },
  { name: 'default_transaction_read_only', pattern: /^off$/, wanted: 'off' },
  // Under another level, a batch would not see what others committed while it waited for the lock.
  { name: 'default_transaction_isolation', pattern: /^read committed$/, wanted: 'read committed' },
  { name: 'standard_conforming_strings', pattern: /^on$/, wanted: 'on' },
];

/**
 * Refuses a database whose settings would change what the engine reads or writes.
 *
 * @throws OperatingError DATABASE_UNSUITABLE
 */
export async function checkDatabase(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; setting: string }>(
    'select name, current_setting(name) as setting from unnest($1::text[]) as name',
    [required.map(({ name }) => name)],
  );
  const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
  const wrong = required.filter(({ name, pattern }) => !pattern.test(settings.get(name) ?? ''));
  if (wrong.length === 0) return;
  const found = wrong.map(({ name, wanted }) => `${name} is ${settings.get(name)} instead of ${wanted}`);
  throw new OperatingError(
    'DATABASE_UNSUITABLE',
    `The database has unsuitable settings: ${found.join(', ')}`,
    wrong.some(({ name }) => name === 'server_encoding')
      ? `Create one with "create database ... encoding 'UTF8' template template0"`
      : 'Change it with "alter database ... set ..." or "alter role ... set ..."',
  );
}
