/**
 * How the embedded server runs. The settings are given on the command line and not in postgresql.conf, so that no edit
 * and no ALTER SYSTEM can break promise 3 (never lose an accepted order). An operator who wants to tune PostgreSQL
 * should run their own server and set DATABASE_URL.
 */
function serverSettings(port: number): Record<string, string> {
  return { ...connections(port), ...durability, ...memory, ...planning, ...vacuum, ...logging, ...locale };
}

export function settingArguments(port: number): string[] {
  return Object.entries(serverSettings(port)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function connections(port: number): Record<string, string> {
  return {
    // Never reachable from another machine: this server is part of the engine.
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    // No unix socket: its path may not exceed 107 bytes, which a deep DATA_DIR breaks, and Windows differs. The extra
    // cost of TCP on loopback hardly matters, because the hot path makes one round trip per batch.
    unix_socket_directories: '',
    // 25 for the pool, 25 for a worker, and room for tools and tests.
    max_connections: '100',
  };
}

const durability = {
  // An acknowledged commit is on disk. These three make the promise true and are never tuned.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // One log segment: a large batch fits in memory as a whole and is written once, at its commit.
  wal_buffers: '16MB',
  // After each checkpoint every page is logged in full once, so checkpoints should be rare in the minutes of a sale.
  // The price is a longer recovery after a crash, bounded by about 2 GB of log to replay.
  checkpoint_timeout: '15min',
  max_wal_size: '2GB',
  // Keeps used log files for reuse: creating and zeroing new ones would slow down commits when a sale opens.
  min_wal_size: '512MB',
};

const memory = {
  // Holds the hot tables of a sale with a million attempts, and fits a machine with 1 GB.
  shared_buffers: '256MB',
  // The same behaviour everywhere: "try" succeeds only on some hosts, and fails noisily in some sandboxes.
  huge_pages: 'off',
};

const planning = {
  // Every statement is short; compiling one takes longer than running it.
  jit: 'off',
  // The engine runs on SSDs, where a random read costs about as much as a sequential one.
  random_page_cost: '1.1',
  // An audit during a sale must not take a second core. This also spares the 64 MB of /dev/shm in containers.
  max_parallel_workers_per_gather: '0',
};

const vacuum = {
  // Rejected: a run every 10 s and at 2 % of change, which took a sixth of one of two processors during a sale. Vacuum is
  // never urgent: the updates themselves prune the stock row in place, and no plan of the hot path depends on statistics.
  // So it sleeps ten milliseconds for each 200 units of work instead of two.
  autovacuum_vacuum_cost_delay: '10ms',
};

const logging = {
  logging_collector: 'on',
  log_directory: 'log',
  // Seven files, one for each weekday, emptied when their day comes again; pruneLogs covers restarts.
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: '0',
  log_truncate_on_rotation: 'on',
  log_timezone: 'UTC',
};

const locale = {
  timezone: 'UTC',
  // The engine recognises two messages in the log (a taken port, a directory still in use), so they must be in English.
  lc_messages: 'C',
};
