import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from './programs.js';

export type HaPrograms = { etcd: string; haproxy: string; patroni: string; postgresBin: string };

// Debian keeps the programs of each major version in a separate folder that is not on the PATH.
const versionsFolder = '/usr/lib/postgresql';

/** @throws if a program is not installed. */
export function findHaPrograms(): HaPrograms {
  return {
    etcd: findProgram('etcd'),
    haproxy: findProgram('haproxy'),
    patroni: findProgram('patroni'),
    // The embedded package has neither pg_basebackup nor pg_rewind.
    postgresBin: dirname(findProgram('pg_rewind', newestFirst(versionsFolder))),
  };
}

function newestFirst(folder: string): string[] {
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  return versions
    .sort((one, other) => Number(other) - Number(one))
    .map(version => join(folder, version, 'bin'));
}
