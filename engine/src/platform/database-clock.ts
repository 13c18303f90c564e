import type { Queryable } from './postgres.js';

/** The database's time as this process knows it, to choose sales and to stamp attempts; SQL decides about deadlines. */
export type DatabaseClock = {
  /** Milliseconds since 1970 by the database's clock. Monotonic between two calibrations. */
  nowMs(): number;
  /** Half the round trip of the last calibration: how far `nowMs` may be off. */
  errorMs(): number;
  calibrate(db: Queryable): Promise<void>;
};

export function createDatabaseClock(): DatabaseClock {
  let offsetMs = performance.timeOrigin;
  let errorMs = Number.POSITIVE_INFINITY;
  return {
    nowMs: () => performance.now() + offsetMs,
    errorMs: () => errorMs,
    async calibrate(db) {
      const sentAtMs = performance.now();
      const { rows } = await db.query<{ now: number }>({
        name: 'database-clock',
        text: 'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
      });
      const halfMs = (performance.now() - sentAtMs) / 2;
      const [row] = rows;
      if (!row) return;
      offsetMs = row.now - (sentAtMs + halfMs);
      errorMs = halfMs;
    },
  };
}
