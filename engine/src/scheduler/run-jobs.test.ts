import { describe, expect, it } from 'vitest';
import { until } from '../../test/support/condition.js';
import { type Job, runJobs } from './run-jobs.js';

describe('jobs', () => {
  it('run each on a loop of their own: one that fails or hangs stops no other', async () => {
    const runs = { good: 0, bad: 0 };
    const { failures, stop } = start([
      { name: 'good', everyMs: 1, run: async () => ++runs.good * 0 },
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error(`no ${++runs.bad}`)) },
      { name: 'hanging', everyMs: 1, run: abortOf },
    ]);
    await until('the good one has run often and the bad one again', () => runs.good > 20 && runs.bad > 2);
    await stop();
    expect(new Set(failures)).toEqual(new Set(['bad']));
  });

  it('that fail are tried ever more rarely, the good ones are not', async () => {
    const runs = { good: 0, bad: 0 };
    const { stop } = start([
      { name: 'good', everyMs: 1, run: async () => ++runs.good * 0 },
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error(`no ${++runs.bad}`)) },
    ]);
    await until('the good one has run 200 times', () => runs.good > 200);
    await stop();
    expect(runs.bad).toBeLessThan(runs.good / 4);
  });

  it('run again at once as long as there is something to do, 100 times in a row', async () => {
    let runs = 0;
    const { stop } = start([{ name: 'busy', everyMs: 60_000, run: async () => ++runs }]);
    await until('it has run 100 times', () => runs === 100);
    await until('another job has had a hundred turns', turns(100));
    expect(runs).toBe(100);
    await stop();
  });

  it('that found nothing to do wait for their time', async () => {
    let runs = 0;
    const { stop } = start([{ name: 'idle', everyMs: 60_000, run: async () => ++runs * 0 }]);
    await until('a hundred turns', turns(100));
    expect(runs).toBe(1);
    await stop();
  });

  it('end as soon as the signal aborts, also in a pause, and report nothing that comes of it', async () => {
    const { failures, stop } = start([
      { name: 'pausing', everyMs: 600_000, run: async () => 0 },
      {
        name: 'running',
        everyMs: 600_000,
        run: async signal => {
          await abortOf(signal);
          throw new Error('aborted');
        },
      },
    ]);
    const stoppedAtMs = performance.now();
    await stop();
    expect(performance.now() - stoppedAtMs).toBeLessThan(1000);
    expect(failures).toEqual([]);
  });
});

function start(jobs: Job[]) {
  const controller = new AbortController();
  const failures: string[] = [];
  const ended = runJobs({ jobs, signal: controller.signal, onError: job => failures.push(job) });
  const stop = async () => {
    controller.abort();
    await ended;
  };
  return { failures, stop };
}

function turns(count: number): () => boolean {
  let left = count;
  return () => left-- <= 0;
}

async function abortOf(signal: AbortSignal): Promise<number> {
  await new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  return 0;
}
