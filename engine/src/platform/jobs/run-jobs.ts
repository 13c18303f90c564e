import type { Logger } from 'pino';
import { backoffMs, pause } from '../backoff.js';
import { messageOf } from '../errors.js';
import type { Job, Round, Run } from './job.js';
import type { JobFigures } from './job-figures.js';

export type RunJobsOptions = {
  jobs: readonly Job[];
  signal: AbortSignal;
  figures: JobFigures;
  logger: Pick<Logger, 'warn'>;
};

// A job that always finds more work must not occupy a processor and the database without pause.
const roundsInARowMax = 100;
// A job that keeps failing is tried twice a minute: rarely enough to spare the database, often enough to recover soon after
// it.
const failurePauseMaxMs = 30_000;

/**
 * Runs each job in its own loop until the signal aborts, so that a slow or failing job delays no other. A failure is
 * reported and followed by a longer pause. Resolves when the work in progress has ended.
 */
export async function runJobs({ jobs, ...options }: RunJobsOptions): Promise<void> {
  await Promise.all(jobs.map(job => repeat(job, options)));
}

export type OneRound = { count: number; failures: { item: string; error: unknown }[] };

/** One round, for a tool that then exits. @returns how many things were done, and which items failed. */
export async function runOnce(run: Run): Promise<OneRound> {
  const failures: OneRound['failures'] = [];
  const held: Promise<void>[] = [];
  const count = await run({
    signal: new AbortController().signal,
    onItemFailed: (item, _failures, error) => failures.push({ item, error }),
    onItemsFailing: () => {},
    hold: work => held.push(work),
  });
  await Promise.all(held);
  return { count, failures };
}

async function repeat(job: Job, { signal, figures, logger }: Omit<RunJobsOptions, 'jobs'>): Promise<void> {
  const held = new Set<Promise<void>>();
  const onFailure = (error: unknown, item?: { item: string; failures: number }) => {
    if (signal.aborted) return;
    figures.failed(job.name);
    const what = item ? 'an item of a job failed and will be retried' : 'a job failed and will be retried';
    logger.warn({ job: job.name, ...item, reason: messageOf(error) }, what);
  };
  const round: Round = {
    signal,
    onItemFailed: (item, failures, error) => onFailure(error, { item, failures }),
    onItemsFailing: count => figures.itemsFail(job.name, count),
    hold(work) {
      held.add(work);
      void work.finally(() => held.delete(work));
    },
  };
  let failures = 0;
  let roundsInARow = 0;
  figures.began(job.name);
  while (!signal.aborted) {
    let pauseMs = job.everyMs;
    try {
      const hasMore = (await job.run(round)) > 0;
      figures.succeeded(job.name);
      failures = 0;
      roundsInARow = hasMore ? roundsInARow + 1 : 0;
      if (hasMore && roundsInARow % roundsInARowMax !== 0) pauseMs = 0;
    } catch (error) {
      onFailure(error);
      pauseMs += backoffMs(failures, job.everyMs, failurePauseMaxMs);
      failures += 1;
    }
    await pause(pauseMs, signal);
  }
  await Promise.all(held);
  // The next leader finds them again.
  figures.itemsFail(job.name, 0);
}
