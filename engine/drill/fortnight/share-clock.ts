import childProcess, { type SpawnOptions } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Loaded into the engine before its own code. The engine passes PostgreSQL only a few chosen environment variables.
 * This adds those of the moved clock, so that both processes have the same time.
 */
const names = [
  ...['LD_PRELOAD', 'NO_FAKE_STAT'],
  ...['FAKETIME_TIMESTAMP_FILE', 'FAKETIME_NO_CACHE', 'FAKETIME_DONT_FAKE_MONOTONIC'],
];
const clock = Object.fromEntries(names.map(name => [name, process.env[name]]));

const { spawn } = childProcess;
Object.assign(childProcess, {
  spawn: (command: string, args: readonly string[], options: SpawnOptions) =>
    spawn(command, args, { ...options, env: { ...(options.env ?? process.env), ...clock } }),
});
syncBuiltinESMExports();
