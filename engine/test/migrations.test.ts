import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readRoutines } from '../src/ledger/routines.js';
import {
  checkSchema,
  dropEverything,
  type Migration,
  migrate,
  readMigrations,
} from '../src/platform/migrations.js';
import { createTestDatabase } from './support/database.js';
import { leaveToUnreleasedBuild } from './support/unreleased.js';

/** Checksums of the existing migrations. A new migration adds its line here; no line ever changes. */
const released = { '0001_schema.sql': '28ed5cf6bd76c6fff64f8e0ec60c3483eb2b9661d6dc633fe2bf03cd1d810068' };

describe('migrations', () => {
  it('are applied once by several processes that start at the same time', async () => {
    const { pool } = await createTestDatabase();
    await dropEverything(pool);
    const routines = await readRoutines();
    const all = [...(await readMigrations()).map(({ name }) => name), ...routines.map(({ name }) => name)];

    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(pool, routines)));

    expect(applied.flat().sort()).toEqual(all.sort());
    await checkSchema(pool, routines);
  });

  it('change nothing when they run again', async () => {
    const { pool } = await createTestDatabase();
    expect(await migrate(pool, await readRoutines())).toEqual([]);
  });

  it('refuse a schema newer than the build', async () => {
    const { pool } = await createTestDatabase();
    await pool.query(
      `insert into schema_migrations (version, name, checksum) values (9000, '9000_future.sql', 'x')`,
    );

    await expect(migrate(pool, [])).rejects.toMatchObject({ code: 'SCHEMA_NEWER' });
    await expect(checkSchema(pool, [])).rejects.toMatchObject({ code: 'SCHEMA_NEWER' });
  });

  it('refuse a migration whose text changed after it was applied', async () => {
    const { pool } = await createTestDatabase();
    await pool.query(`update schema_migrations set checksum = 'another' where version = 1`);

    await expect(migrate(pool, [])).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' });
    await expect(checkSchema(pool, [])).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' });
  });

  it('refuse a database made by a build from before the first release, and leave it unchanged', async () => {
    const { pool } = await createTestDatabase();
    await checkSchema(pool, []);
    await leaveToUnreleasedBuild(pool);
    const refusal = { code: 'SCHEMA_OLDER', remedy: expect.stringContaining('Run "doorbuster reset"') };

    await expect(migrate(pool, await readRoutines())).rejects.toMatchObject(refusal);
    await expect(checkSchema(pool, [])).rejects.toMatchObject(refusal);

    const { rows } = await pool.query('select name from schema_migrations order by version');
    expect(rows).toEqual([{ name: '0001_schema.sql' }, { name: '0002_user_ids.sql' }]);
    // Negative control: without that build's first migration, its second one is only an unknown one.
    await pool.query(`update schema_migrations set checksum = $1 where version = 1`, [
      released['0001_schema.sql'],
    ]);
    await expect(migrate(pool, [])).rejects.toMatchObject({ code: 'SCHEMA_NEWER' });
  });

  it('are append-only: each has the text with which it was released', async () => {
    const migrations = await readMigrations();
    expect(checksumsOf(migrations)).toEqual(released);

    // Negative control: an extra space makes it another text.
    const edited = migrations.map(migration => ({ ...migration, sql: `${migration.sql} ` }));
    expect(checksumsOf(edited)).not.toEqual(released);
  });

  it('leave nothing behind when one fails in the middle', async () => {
    const { pool } = await createTestDatabase();
    const broken = {
      version: 9001,
      name: '9001_broken.sql',
      sql: 'create table half (); select 1 / 0',
      checksum: 'x',
    };

    await expect(migrate(pool, [], [...(await readMigrations()), broken])).rejects.toThrow(
      'division by zero',
    );

    expect((await pool.query(`select to_regclass('half') as half`)).rows).toEqual([{ half: null }]);
  });

  it('replace a routine whose text has changed, and name the remedy before the API starts on an old one', async () => {
    const { pool } = await createTestDatabase();
    const routine = (body: string) => ({
      name: 'answer',
      sql: `create or replace function answer() returns integer language sql as $$ select ${body} $$`,
    });
    expect(await migrate(pool, [routine('41')])).toEqual(['answer']);

    await expect(checkSchema(pool, [routine('42')])).rejects.toMatchObject({ code: 'SCHEMA_BEHIND' });
    expect(await migrate(pool, [routine('42')])).toEqual(['answer']);
    await checkSchema(pool, [routine('42')]);
    expect((await pool.query('select answer()')).rows).toEqual([{ answer: 42 }]);
  });
});

function checksumsOf(migrations: readonly Migration[]): Record<string, string> {
  const checksum = (sql: string) => createHash('sha256').update(sql).digest('hex');
  return Object.fromEntries(migrations.map(({ name, sql }) => [name, checksum(sql)]));
}
