import type { Logger } from 'pino';
import { createOpenAndClose } from '../catalog/open-and-close.js';
import { createPlanWindows, type PlannedWindows } from '../catalog/series.js';
import { messageOf } from '../platform/errors.js';
import type { Job } from '../platform/jobs/job.js';
import type { JobFigures } from '../platform/jobs/job-figures.js';
import { runJobs } from '../platform/jobs/run-jobs.js';
import { createLeader, type Leader, type LeaderOptions } from '../platform/leader.js';
import type { Pool } from '../platform/postgres.js';

export type SchedulerOptions = {
  pool: Pool;
  connection: LeaderOptions['connection'];
  /** Scheduled jobs besides the catalogue's own. */
  jobs: readonly Job[];
  figures: JobFigures;
  logger: Logger;
};

/** Competes with the schedulers of other processes; the one that leads runs the jobs. */
export function createScheduler({ pool, connection, jobs, figures, logger }: SchedulerOptions): Leader {
  const onPlanned = ({ passedOver }: PlannedWindows) => {
    if (passedOver.length > 0)
      logger.warn(
        { count: passedOver.length, first: passedOver[0] },
        'windows of a series were skipped because the product has another sale at that time',
      );
  };
  const all: Job[] = [
    { name: 'plan-windows', everyMs: 10_000, run: createPlanWindows(pool, onPlanned) },
    { name: 'open-and-close', everyMs: 250, run: createOpenAndClose(pool) },
    ...jobs,
  ];
  return createLeader({
    connection,
    lock: 'scheduler',
    lead: signal => runJobs({ jobs: all, signal, figures, logger }),
    onError: error =>
      logger.warn({ reason: messageOf(error) }, 'error on the connection of the leading scheduler'),
    onChange: isLeader =>
      logger.info({ isLeader }, isLeader ? 'this scheduler leads' : 'this scheduler no longer leads'),
  });
}
