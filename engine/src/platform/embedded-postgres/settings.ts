/**
 * How the embedded server runs. Given on the command line and not in postgresql.conf, so that no edit and no
 * ALTER SYSTEM can take away what promise 3 (never lose an accepted order) rests on. Who wants to tune PostgreSQL
 * further is better served by a server of their own, through DATABASE_URL.
 */
function serverSettings(port: number): Record<string, string> {
  return { ...connections(port), ...durability, ...memory, ...planning, ...vacuum, ...logging, ...locale };
}

export function settingArguments(port: number): string[] {
  return Object.entries(serverSettings(port)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function connections(port: number): Record<string, string> {
  return {
    // Never reachable from another machine: this server is a part of the engine.
    listen_addresses: '127.0.0.1',
    port: `${port}`,
    // No unix socket: its path may not exceed 107 bytes, which a deep DATA_DIR breaks, and Windows differs. What
    // TCP costs more on loopback hardly matters, since the hot path makes one round trip a batch.
    unix_socket_directories: '',
    // The pool's 25, a worker's 25, tools and tests, with room.
    max_connections: '100',
  };
}

const durability = {
  // An acknowledged commit is on the disk. These three are the promise itself, never a matter of tuning.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // One log segment: a large batch gathers whole in memory and is written once, at its commit.
  wal_buffers: '16MB',
  // After each checkpoint every page is logged whole once, so checkpoints should be rare in the minutes of a sale.
  // The price is a longer recovery after a crash, bounded by about 2 GB of log to replay.
  checkpoint_timeout: '15min',
  max_wal_size: '2GB',
  // Keeps used log files for reuse: creating and zeroing new ones shows up as slow commits when a sale opens.
  min_wal_size: '512MB',
};

const memory = {
  // Holds the hot tables of a sale of a million attempts, and is harmless on a machine with 1 GB.
  shared_buffers: '256MB',
  // The same behaviour everywhere: "try" succeeds on some hosts only, and fails loudly in some sandboxes.
  huge_pages: 'off',
};

const planning = {
  // Every statement is short; compiling one takes longer than running it.
  jit: 'off',
  // The engine lives on SSDs, where a random read costs about as much as a sequential one.
  random_page_cost: '1.1',
  // An audit in the middle of a sale must not take the second core too. Also spares containers' 64 MB of /dev/shm.
  max_parallel_workers_per_gather: '0',
};

const vacuum = {
  // Visits every 10 s and at 2 % of change, as once set here, took a sixth of one of two processors in the middle of a sale.
  // It is never urgent: the stock row is pruned in place by the updates themselves, and no plan of the hot path depends
  // on statistics. So it sleeps ten milliseconds for each 200 units of work instead of two.
  autovacuum_vacuum_cost_delay: '10ms',
};

const logging = {
  logging_collector: 'on',
  log_directory: 'log',
  // Seven files, one for each weekday, emptied when their day comes again (and see pruneLogs for restarts).
  log_filename: 'postgresql-%a.log',
  log_rotation_age: '1d',
  log_rotation_size: '0',
  log_truncate_on_rotation: 'on',
  log_timezone: 'UTC',
};

const locale = {
  timezone: 'UTC',
  // We recognise two messages in the log (a taken port, a directory still in use), so they must be in English.
  lc_messages: 'C',
};
