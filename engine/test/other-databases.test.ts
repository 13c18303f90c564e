import { describe, expect, it } from 'vitest';
import { findFreePort } from '../drill/servers/free-port.js';
import { startEmbeddedPostgres } from '../src/platform/embedded-postgres/start-postgres.js';
import { createPool } from '../src/platform/postgres.js';
import { testConfig } from './support/config.js';
import { createEmptyDatabase, createTestDatabase } from './support/database.js';
import { createDataDir, runTool, startEngine } from './support/engine.js';
import { leaveToUnreleasedBuild } from './support/unreleased.js';

/** The message of a command about a database that it refuses: one sentence with a remedy, without a stack trace. */
async function refusalOf(command: string, databaseUrl: string): Promise<string> {
  const { code, output } = await runTool([command], await createDataDir(), {
    DATABASE_URL: databaseUrl,
    DB_TIMEOUT: '2000',
  });
  expect(code).toBe(1);
  expect(output).toMatch(/^doorbuster: [^\n]+\n$/);
  expect(output).not.toContain('    at ');
  return output;
}

describe('a database that does not suit the engine', () => {
  it.each([
    {
      command: 'migrate',
      options: `encoding 'SQL_ASCII' locale_provider libc locale 'C'`,
      says: 'server_encoding',
    },
    { command: 'api', setting: `DateStyle = 'SQL, DMY'`, says: 'DateStyle is SQL, DMY instead of ISO' },
    {
      command: 'migrate',
      setting: 'default_transaction_read_only = on',
      says: 'read_only is on instead of off',
    },
    {
      command: 'worker',
      setting: `default_transaction_isolation = 'repeatable read'`,
      says: 'isolation is repeatable read',
    },
  ])('is refused by $command at startup, with the setting: $says', async ({ command, says, ...database }) => {
    const { url, pool } = await createEmptyDatabase(database.options);
    if (database.setting) {
      await pool.query(
        `do $$ begin execute format('alter database %I set ${database.setting.replaceAll("'", "''")}', current_database()); end $$`,
      );
    }
    expect(await refusalOf(command, url)).toContain(says);
  });
});

describe('doorbuster audit against another database', () => {
  it('reports that an empty one lacks the schema', async () => {
    const { url } = await createEmptyDatabase();
    expect(await refusalOf('audit', url)).toMatch(
      /lacks this build's version of 0001_schema\.sql.*Run "doorbuster migrate"/,
    );
  });

  it("reports the same for another application's database, and migrate names what is in its way", async () => {
    const { url, pool } = await createEmptyDatabase();
    await pool.query('create table products (title text); create table orders (total numeric)');
    expect(await refusalOf('audit', url)).toContain("lacks this build's version of 0001_schema.sql");
    expect(await refusalOf('migrate', url)).toMatch(
      /relation "products" already exists.*Check that DATABASE_URL/,
    );
  });

  it('names what an older one lacks', async () => {
    const { url, pool } = await createTestDatabase();
    await pool.query(`delete from schema_routines where name = 'settle'`);
    expect(await refusalOf('audit', url)).toMatch(
      /lacks this build's version of settle.*Run "doorbuster migrate"/,
    );
  });

  it('requires the newer build if that build has migrated it', async () => {
    const { url, pool } = await createTestDatabase();
    await pool.query(
      `insert into schema_migrations (version, name, checksum) values (9000, '9000_later.sql', 'x')`,
    );
    expect(await refusalOf('audit', url)).toMatch(/9000_later\.sql.*Run the newer build/);
  });

  it('reports that it cannot connect', async () => {
    const address = `127.0.0.1:${await findFreePort()}`;
    expect(await refusalOf('audit', `postgres://nobody@${address}/none`)).toContain(
      `ECONNREFUSED ${address}`,
    );
  });
});

describe('a database from before the first release', () => {
  const wayOut =
    /made by a build from before the first release.*Run "doorbuster reset".*DATA_DIR or DATABASE_URL to a new database/;

  it.each(['migrate', 'seed', 'api', 'worker', 'audit'])(
    'is refused by %s in one sentence, and nothing in it changes',
    async command => {
      const { url, pool } = await createTestDatabase();
      await leaveToUnreleasedBuild(pool);

      expect(await refusalOf(command, url)).toMatch(wayOut);

      expect((await pool.query('select from products')).rowCount).toBe(0);
      expect((await pool.query('select from schema_migrations')).rowCount).toBe(2);
    },
  );

  it('is refused by start as a data directory, and works again after a reset', async () => {
    const dataDir = await createDataDir();
    expect((await runTool(['seed'], dataDir)).code).toBe(0);
    // Negative control: until then it is an ordinary data directory.
    expect((await runTool(['audit'], dataDir)).code).toBe(0);
    const server = await startEmbeddedPostgres({ dataDir });
    const pool = createPool(server.databaseUrl, testConfig());
    await leaveToUnreleasedBuild(pool);
    await pool.end();
    await server.stop();

    const { code, output } = await runTool(['start'], dataDir);
    expect(code).toBe(1);
    expect(output).toMatch(wayOut);
    expect(output).not.toContain('    at ');

    expect((await runTool(['reset'], dataDir)).output).toContain('deleted all data');
    const engine = await startEngine(dataDir);
    expect((await fetch(`${engine.url}/api/stock/1`)).status).toBe(200);
  }, 120_000);
});
