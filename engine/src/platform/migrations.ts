import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { advisoryLocks } from './advisory-locks.js';
import { OperatingError } from './errors.js';
import { type Client, inTransaction, type Pool } from './postgres.js';

const directory = new URL('../../migrations/', import.meta.url);

export type Migration = { version: number; name: string; sql: string; checksum: string };
export type Routine = { name: string; sql: string };

/**
 * Brings the schema up to date: first numbered migrations, each in its own transaction, then the routines (SQL functions
 * that are next to the code that calls them and are replaced whenever their text changes). Concurrent runs wait for each
 * other on an advisory lock.
 *
 * @returns the names of the applied migrations and routines.
 * @throws OperatingError SCHEMA_NEWER, SCHEMA_OLDER or MIGRATION_CHANGED.
 */
export async function migrate(
  pool: Pool,
  routines: readonly Routine[],
  migrations?: readonly Migration[],
): Promise<string[]> {
  const known = migrations ?? (await readMigrations());
  const applied: string[] = [];
  for (const migration of known) {
    if (await inTransaction(pool, tx => applyMigration(tx, migration, known))) applied.push(migration.name);
  }
  for (const routine of routines) {
    if (await inTransaction(pool, tx => applyRoutine(tx, routine))) applied.push(routine.name);
  }
  return applied;
}

/** Refuses a database whose schema this build does not know. @throws OperatingError */
export async function checkSchema(
  pool: Pool,
  routines: readonly Routine[],
  migrations?: readonly Migration[],
): Promise<void> {
  const known = migrations ?? (await readMigrations());
  await inTransaction(pool, async tx => {
    // This only reads: the role that serves need not own the tables.
    const { rows } = await tx.query<{ is_there: boolean }>(
      `select to_regclass('schema_migrations') is not null and to_regclass('schema_routines') is not null as is_there`,
    );
    if (!rows[0]?.is_there) throw schemaBehind(known.map(({ name }) => name));
    const versions = await readVersions(tx, known);
    const missing = known.filter(migration => !versions.has(migration.version)).map(({ name }) => name);
    const installed = await readRoutines(tx);
    const changed = routines.filter(({ name, sql }) => installed.get(name) !== checksumOf(sql));
    const behind = [...missing, ...changed.map(({ name }) => name)];
    if (behind.length > 0) throw schemaBehind(behind);
  });
}

function schemaBehind(names: readonly string[]): OperatingError {
  return new OperatingError(
    'SCHEMA_BEHIND',
    `The database lacks this build's version of ${names.join(', ')}`,
    'Run "doorbuster migrate" and start again',
  );
}

/** Deletes every table, function and row in the database's public schema. */
export async function dropEverything(pool: Pool): Promise<void> {
  await pool.query('drop schema public cascade; create schema public');
}

export async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(directory)).filter(name => /^\d{4}_.+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async name => {
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { version: Number(name.slice(0, 4)), name, sql, checksum: checksumOf(sql) };
    }),
  );
}

async function applyMigration(
  tx: Client,
  migration: Migration,
  known: readonly Migration[],
): Promise<boolean> {
  await lockAndPrepare(tx);
  const versions = await readVersions(tx, known);
  if (versions.has(migration.version)) return false;
  await tx.query(migration.sql);
  await tx.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
    migration.version,
    migration.name,
    migration.checksum,
  ]);
  return true;
}

async function applyRoutine(tx: Client, { name, sql }: Routine): Promise<boolean> {
  await lockAndPrepare(tx);
  const installed = await readRoutines(tx);
  const checksum = checksumOf(sql);
  if (installed.get(name) === checksum) return false;
  await tx.query(sql);
  await tx.query(
    `insert into schema_routines (name, checksum) values ($1, $2)
     on conflict (name) do update set checksum = excluded.checksum, installed_at = clock_timestamp()`,
    [name, checksum],
  );
  return true;
}

async function lockAndPrepare(tx: Client): Promise<void> {
  await tx.query('select pg_advisory_xact_lock($1)', [advisoryLocks.migrations]);
  await tx.query(`
    create table if not exists schema_migrations (
      version    integer primary key,
      name       text not null,
      checksum   text not null,
      applied_at timestamptz not null default clock_timestamp()
    );
    create table if not exists schema_routines (
      name         text primary key,
      checksum     text not null,
      installed_at timestamptz not null default clock_timestamp()
    )`);
}

type AppliedMigration = Pick<Migration, 'version' | 'name' | 'checksum'>;

async function readVersions(tx: Client, known: readonly Migration[]): Promise<Set<number>> {
  const { rows } = await tx.query<AppliedMigration>(
    'select version, name, checksum from schema_migrations order by version',
  );
  for (const row of rows) checkApplied(row, known);
  return new Set(rows.map(row => row.version));
}

// The first migration of the builds before the first release, which had 22 of them. They became one, so no migration leads
// from such a database to this schema. This is checked first, so that no other of the 22 is taken for a newer build's.
const unreleasedChecksum = '82a05d189eb20d973d44c960b0edd28f391809d10e24895d876cbb62a9fdd72e';

function checkApplied({ version, name, checksum }: AppliedMigration, known: readonly Migration[]): void {
  if (checksum === unreleasedChecksum) {
    throw new OperatingError(
      'SCHEMA_OLDER',
      'The database was made by a build from before the first release, and its data cannot be migrated to this build',
      'Run "doorbuster reset" to delete that data and start over, or set DATA_DIR or DATABASE_URL to a new database',
    );
  }
  const migration = known.find(({ version: knownVersion }) => knownVersion === version);
  if (!migration) {
    throw new OperatingError(
      'SCHEMA_NEWER',
      `The database has migration ${name}, which this build does not know`,
      'Run the newer build of Doorbuster that made it, or restore a backup from before it',
    );
  }
  if (migration.checksum !== checksum) {
    throw new OperatingError(
      'MIGRATION_CHANGED',
      `The applied migration ${name} differs from the one in this build`,
      'Do not edit applied migrations: restore the file and put the change into a new migration',
    );
  }
}

async function readRoutines(tx: Client): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_routines',
  );
  return new Map(rows.map(row => [row.name, row.checksum]));
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
