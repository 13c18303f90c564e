import { rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { TestProject } from 'vitest/node';
import { makeDataDirectory } from '../../drill/servers/data-directory.js';
import { readRoutines } from '../../src/ledger/routines.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres/start-postgres.js';
import { migrate } from '../../src/platform/migrations.js';
import { createPool } from '../../src/platform/postgres.js';
import { testConfig } from './config.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real server; its database `template` is migrated once, and each test file clones it. */
    serverUrl: string;
  }
}

/** One PostgreSQL server for the whole run, in a directory that is deleted with it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = makeDataDirectory('test', await findRoom());
  const server = await startEmbeddedPostgres({ dataDir });
  await createTemplate(server.databaseUrl);
  project.provide('serverUrl', server.databaseUrl);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

// A thousand tests clone the template, 8 MB each that must be flushed: on a slow disk that was half of the whole
// run. These tests check durability by killing processes, which loses no file even in memory.
const memory = '/dev/shm';
// 2 GB of write-ahead log, and room for the databases of all files that run at once.
const roomBytesMin = 6 * 1024 ** 3;

async function findRoom(): Promise<string> {
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize >= roomBytesMin ? memory : tmpdir();
}

async function createTemplate(serverUrl: string): Promise<void> {
  const admin = createPool(serverUrl, testConfig());
  await admin.query('create database template');
  await admin.end();
  const url = new URL(serverUrl);
  url.pathname = '/template';
  const pool = createPool(url.href, testConfig());
  await migrate(pool, await readRoutines());
  await pool.end();
}
