/**
 * The keys of all advisory locks of this engine. PostgreSQL has one key space per database, so two uses of one key would
 * block each other; no other file names a key. A key never gets another meaning, because two versions share the database
 * during an upgrade.
 */
export const advisoryLocks = {
  migrations: 7_233_618,
  scheduler: 7_233_619,
  attemptPartitions: 7_233_620,
} as const;

export type AdvisoryLock = keyof typeof advisoryLocks;
