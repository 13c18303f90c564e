import type { Logger } from 'pino';
import { openAndClose } from '../catalog/open-and-close.js';
import { planWindows } from '../catalog/series.js';
import { messageOf } from '../platform/errors.js';
import { createLeader, type Leader, type LeaderOptions } from '../platform/leader.js';
import type { Pool } from '../platform/postgres.js';
import { type Job, runJobs } from './run-jobs.js';

export type SchedulerOptions = {
  pool: Pool;
  connection: LeaderOptions['connection'];
  /** What is to be done on a schedule besides the catalogue's own jobs. */
  jobs: readonly Job[];
  logger: Logger;
};

// Any constant will do that no other lock of this database uses; the schema's is 7_233_618.
const schedulerLock = 7_233_619;

/** Competes with the schedulers of other processes; the one that leads runs the jobs. */
export function createScheduler({ pool, connection, jobs, logger }: SchedulerOptions): Leader {
  const all = [createPlanWindows(pool, logger), createOpenAndClose(pool), ...jobs];
  const onError = (job: string, error: unknown) =>
    logger.warn({ job, reason: messageOf(error) }, 'a job of the schedule failed');
  return createLeader({
    connection,
    lockId: schedulerLock,
    lead: signal => runJobs({ jobs: all, signal, onError }),
    onError: error => logger.warn({ reason: messageOf(error) }, 'trouble on the connection of the scheduler'),
    onChange: isLeader => logger.info({ isLeader }, isLeader ? 'leads the schedule' : 'no longer leads it'),
  });
}

function createPlanWindows(pool: Pool, logger: Logger): Job {
  return {
    name: 'plan-windows',
    everyMs: 10_000,
    async run(signal) {
      const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
      const [row] = rows;
      if (!row) throw new Error('the clock returned no row');
      const { planned, passedOver } = await planWindows(pool, row.now, signal);
      // Each window is passed over once; a pattern of minutes against a long sale would still be a line a minute and series.
      if (passedOver.length > 0)
        logger.warn(
          { count: passedOver.length, first: passedOver[0] },
          'windows of a series were passed over: the product has another sale then',
        );
      return planned + passedOver.length;
    },
  };
}

function createOpenAndClose(pool: Pool): Job {
  return { name: 'open-and-close', everyMs: 250, run: signal => openAndClose(pool, signal) };
}
