import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './database.js';

/** A role with all rights on the tables of a test's database and a limited number of connections. */
export async function createLimitedRole(
  { url, pool }: TestDatabase,
  connectionsMax: number,
): Promise<string> {
  const role = `role_${randomUUID().replaceAll('-', '')}`;
  await pool.query(`
    create role ${role} login password 'x' connection limit ${connectionsMax};
    grant all on all tables in schema public to ${role};
    grant all on all sequences in schema public to ${role}`);
  onTestFinished(async () => void (await pool.query(`drop owned by ${role}; drop role ${role}`)));
  const limited = new URL(url);
  limited.username = role;
  limited.password = 'x';
  return limited.href;
}
