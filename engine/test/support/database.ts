import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { createPool, type Pool } from '../../src/platform/postgres.js';
import { testConfig } from './config.js';

export type TestDatabase = { url: string; pool: Pool };

/** A migrated database for the test, dropped when it ends. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase('template');
}

/** An empty database, dropped when the test ends. @param options of `create database`, such as its encoding */
export function createEmptyDatabase(options = ''): Promise<TestDatabase> {
  return createDatabase(`template0 ${options}`);
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  // A checkpoint costs less than 9 MB of write-ahead log.
  await asAdmin(`create database ${name} template ${template} strategy file_copy`);
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${name}`;
  const pool = createPool(url.href, testConfig());
  onTestFinished(async () => {
    await pool.end();
    await asAdmin(`drop database ${name} with (force)`);
  });
  return { url: url.href, pool };
}

// One connection per worker, for all its tests: a new one would cost each test 30 ms.
let admin: pg.Pool | undefined;

async function asAdmin(sql: string): Promise<void> {
  admin ??= new pg.Pool({
    connectionString: inject('serverUrl'),
    max: 1,
    allowExitOnIdle: true,
    idleTimeoutMillis: 0,
  }).on('error', () => {});
  await admin.query(sql);
}
