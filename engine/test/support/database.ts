import { randomUUID } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { createPool, type Pool } from '../../src/platform/postgres.js';
import { testConfig } from './config.js';

export type TestDatabase = { url: string; pool: Pool };

/** A migrated database of the test's own, dropped when it ends. */
export function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase('template');
}

/** An empty database, dropped when the test ends. @param options of `create database`, such as its encoding */
export function createEmptyDatabase(options = ''): Promise<TestDatabase> {
  return createDatabase(`template0 ${options}`);
}

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(`create database ${name} template ${template}`);
  const url = new URL(inject('serverUrl'));
  url.pathname = `/${name}`;
  const pool = createPool(url.href, testConfig());
  onTestFinished(async () => {
    await pool.end();
    await asAdmin(`drop database ${name} with (force)`);
  });
  return { url: url.href, pool };
}

async function asAdmin(sql: string): Promise<void> {
  const admin = createPool(inject('serverUrl'), testConfig());
  try {
    await admin.query(sql);
  } finally {
    await admin.end();
  }
}
