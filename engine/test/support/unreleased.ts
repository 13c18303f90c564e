import type { Pool } from '../../src/platform/postgres.js';

/** Gives a migrated database the migration history of a build from before the first release. */
export async function leaveToUnreleasedBuild(pool: Pool): Promise<void> {
  await pool.query(`
    update schema_migrations set checksum = '82a05d189eb20d973d44c960b0edd28f391809d10e24895d876cbb62a9fdd72e';
    insert into schema_migrations (version, name, checksum)
    values (2, '0002_user_ids.sql', 'cdd3800f33744449d2ee91ab5cdf884c3f509f9e5829dd9ab9f89a12f122f088')`);
}
