import { backoffMs, pause } from '../platform/backoff.js';

/** Work that is due again and again. It has to do no harm if it is done twice, or at the same time by two processes. */
export type Job = {
  name: string;
  /** Pause after a run that left nothing to do. */
  everyMs: number;
  /** @returns how many things were done; after more than none it is run again at once, up to 100 times in a row. */
  run: (signal: AbortSignal) => Promise<number>;
};

export type RunJobsOptions = {
  jobs: readonly Job[];
  signal: AbortSignal;
  onError: (job: string, error: unknown) => void;
};

// A job that always finds more shall not keep a processor and the database busy for itself alone.
const runsInARowMax = 100;
// What fails for long is tried twice a minute: late enough to spare the database, early enough to be back soon after it.
const failurePauseMaxMs = 30_000;

/**
 * Runs each job on a loop of its own until the signal aborts, so that one that fails or takes long delays no other.
 * A failure is reported and followed by a longer pause. Resolves when the runs under way have ended.
 */
export async function runJobs({ jobs, signal, onError }: RunJobsOptions): Promise<void> {
  await Promise.all(jobs.map(job => repeat(job, signal, error => onError(job.name, error))));
}

async function repeat(job: Job, signal: AbortSignal, onError: (error: unknown) => void): Promise<void> {
  let failures = 0;
  let runsInARow = 0;
  while (!signal.aborted) {
    let pauseMs = job.everyMs;
    try {
      const hasMore = (await job.run(signal)) > 0;
      failures = 0;
      runsInARow = hasMore ? runsInARow + 1 : 0;
      if (hasMore && runsInARow % runsInARowMax !== 0) pauseMs = 0;
    } catch (error) {
      if (!signal.aborted) onError(error);
      pauseMs += backoffMs(failures, job.everyMs, failurePauseMaxMs);
      failures += 1;
    }
    await pause(pauseMs, signal);
  }
}
