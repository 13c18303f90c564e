/**
 * The keys of all advisory locks of this engine. PostgreSQL has one space of them for each database, so that two uses of
 * one key would shut each other out; no other file names one. A key is never given another meaning: during an upgrade two
 * versions share the database.
 */
export const advisoryLocks = {
  migrations: 7_233_618,
  scheduler: 7_233_619,
  attemptPartitions: 7_233_620,
} as const;

export type AdvisoryLock = keyof typeof advisoryLocks;
