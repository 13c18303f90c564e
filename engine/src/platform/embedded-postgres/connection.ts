import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { unlessMissing } from './postgres-errors.js';

/** The name of both the role and the database. */
export const roleName = 'doorbuster';

const passwordName = 'postgres-password';
const urlName = 'database-url';
const connectTimeoutMs = 3000;

export function makePassword(): string {
  return randomBytes(24).toString('base64url');
}

export async function readPassword(dataDir: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(join(dataDir, passwordName), 'utf8'));
  return text?.trim() || undefined;
}

export function writePassword(dataDir: string, password: string): Promise<void> {
  return writeSecret(join(dataDir, passwordName), password);
}

/** For tools that run alongside the engine; see findRunningEmbeddedPostgres. */
export function writeDatabaseUrl(dataDir: string, databaseUrl: string): Promise<void> {
  return writeSecret(join(dataDir, urlName), databaseUrl);
}

export async function readDatabaseUrl(dataDir: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(join(dataDir, urlName), 'utf8'));
  return text?.trim() || undefined;
}

export function removeDatabaseUrl(dataDir: string): Promise<void> {
  return rm(join(dataDir, urlName), { force: true });
}

export function databaseUrlFor(port: number, password: string): string {
  return `postgres://${roleName}:${password}@127.0.0.1:${port}/${roleName}`;
}

/** Rejects with the driver's error unless the server answers a query. */
export async function checkConnection(databaseUrl: string): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  });
  // If the server stopped at this moment, an unhandled 'error' event would end this process.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end().catch(() => {});
  }
}

/** A reader sees the old or the new text, never half of it, and only the owner can read it. */
async function writeSecret(path: string, secret: string): Promise<void> {
  const incomplete = `${path}.${randomUUID()}`;
  await writeFile(incomplete, `${secret}\n`, { mode: 0o600, flush: true });
  await rename(incomplete, path);
}
