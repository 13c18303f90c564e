import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/condition.js';
import { eachItem } from './each-item.js';
import type { Job } from './job.js';
import { createJobFigures } from './job-figures.js';
import { runJobs, runOnce } from './run-jobs.js';

describe('jobs', () => {
  it('each run on their own loop: one that fails or hangs does not stop the others', async () => {
    const runs = { good: 0, bad: 0 };
    const { failures, stop } = start([
      { name: 'good', everyMs: 1, run: async () => ++runs.good * 0 },
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error(`no ${++runs.bad}`)) },
      { name: 'hanging', everyMs: 1, run: ({ signal }) => abortOf(signal) },
    ]);
    await until('the good one has run often and the bad one again', () => runs.good > 20 && runs.bad > 2);
    await stop();
    expect(new Set(failures)).toEqual(new Set(['bad']));
  });

  it('report when they last succeeded: the time of a hanging or failing job stands still', async () => {
    const { figures, stop } = start([
      { name: 'good', everyMs: 1, run: async () => 0 },
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error('no')) },
      { name: 'hanging', everyMs: 1, run: ({ signal }) => abortOf(signal) },
    ]);
    const began = new Map(figures.read().map(([job, { lastSuccessAtMs }]) => [job, lastSuccessAtMs]));
    const later = () => figures.read().filter(([job, now]) => now.lastSuccessAtMs > (began.get(job) ?? 0));
    await until('the good one is later', () => later().length > 0);
    expect(later().map(([job]) => job)).toEqual(['good']);
    await stop();
  });

  it('are retried less and less often while they fail, and others are not delayed', async () => {
    const runs = { good: 0, bad: 0 };
    const { stop } = start([
      { name: 'good', everyMs: 1, run: async () => ++runs.good * 0 },
      { name: 'bad', everyMs: 1, run: () => Promise.reject(new Error(`no ${++runs.bad}`)) },
    ]);
    await until('the good one has run 200 times', () => runs.good > 200);
    await stop();
    expect(runs.bad).toBeLessThan(runs.good / 4);
  });

  it('run again at once while there is work, at most 100 times in a row', async () => {
    let runs = 0;
    const { stop } = start([{ name: 'busy', everyMs: 60_000, run: async () => ++runs }]);
    await until('it has run 100 times', () => runs === 100);
    await until('another job has had a hundred turns', turns(100));
    expect(runs).toBe(100);
    await stop();
  });

  it('wait for their interval after finding no work', async () => {
    let runs = 0;
    const { stop } = start([{ name: 'idle', everyMs: 60_000, run: async () => ++runs * 0 }]);
    await until('a hundred turns', turns(100));
    expect(runs).toBe(1);
    await stop();
  });

  it('end as soon as the signal aborts, even during a pause, and report no failure because of it', async () => {
    const { failures, stop } = start([
      { name: 'pausing', everyMs: 600_000, run: async () => 0 },
      {
        name: 'running',
        everyMs: 600_000,
        run: async ({ signal }) => {
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

describe('items of a job', () => {
  it('each have their turn: one that fails is reported by name and retried less and less often', async () => {
    const turns: Record<string, number> = { a: 0, bad: 0, c: 0 };
    const run = itemsOf(['a', 'bad', 'c'], async key => {
      turns[key] = (turns[key] ?? 0) + 1;
      if (key === 'bad') throw new Error('no');
    });
    const { failures, stop } = start([{ name: 'walk', everyMs: 1, run }]);
    await until('the good ones have had 500 turns', () => (turns.c ?? 0) > 500);
    expect(turns.a).toBeGreaterThan(500);
    expect(turns.bad).toBeLessThan(50);
    await until('the bad one is tried again', () => (turns.bad ?? 0) > 1);
    await stop();
    expect(new Set(failures)).toEqual(new Set(['walk: item bad']));
  });

  it('are left out of the next round after they fail, so that the job finds the others', async () => {
    const keys = [...Array.from({ length: 5 }, (_, n) => `bad ${n}`), 'good'];
    const done: string[] = [];
    const run = itemsOf(keys, async key => {
      if (key.startsWith('bad')) throw new Error('no');
      done.push(key);
    });
    const rounds = [await runOnce(run), await runOnce(run)];
    expect(rounds.map(({ failures }) => failures.length)).toEqual([5, 0]);
    expect(done).toEqual(['good']);
  });

  it('count as failing until they succeed or disappear', async () => {
    let keys = ['mended', 'gone'];
    let isBroken = true;
    const run = itemsOf(
      () => keys,
      async () => {
        if (isBroken) throw new Error('no');
      },
    );
    const { figures, stop } = start([{ name: 'walk', everyMs: 1, run }]);
    const failing = () => figures.read()[0]?.[1].itemsFailing;
    await until('both fail', () => failing() === 2);
    isBroken = false;
    keys = ['mended'];
    await until('none fails', () => failing() === 0);
    await stop();
  });

  it('may overlap if the job allows it: a slow one delays no other, and the job waits for it before it ends', async () => {
    const done: string[] = [];
    let release = () => {};
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const run = eachItem({
      kind: 'item',
      keyOf: (key: string) => key,
      find: async except => ['slow', 'quick'].filter(key => !except.includes(key)),
      roundMax: 5,
      atOnceMax: 2,
      overlaps: true,
      async work(key) {
        if (key === 'slow') await released;
        done.push(key);
        return 1;
      },
    });
    const { stop } = start([{ name: 'walk', everyMs: 1, run }]);
    await until('the quick one has had many turns', () => done.length > 20);
    expect(done).not.toContain('slow');
    const stopped = stop();
    release();
    await stopped;
    expect(done).toContain('slow');
  });

  it('are forgotten beyond 1,000 failures, and the job goes on', async () => {
    const keys = Array.from({ length: 1500 }, (_, n) => `bad ${n}`);
    let exceptMax = 0;
    const run = eachItem({
      kind: 'item',
      keyOf: (key: string) => key,
      async find(except, limit) {
        exceptMax = Math.max(exceptMax, except.length);
        return keys.filter(key => !except.includes(key)).slice(0, limit);
      },
      roundMax: 1500,
      work: () => Promise.reject(new Error('no')),
    });
    expect((await runOnce(run)).failures).toHaveLength(1500);
    expect((await runOnce(run)).failures.length).toBeGreaterThanOrEqual(500);
    expect(exceptMax).toBeLessThanOrEqual(1000);
  });
});

/** A job over items that are always there; a round finds five. */
function itemsOf(keys: string[] | (() => string[]), work: (key: string) => Promise<void>) {
  const all = () => (typeof keys === 'function' ? keys() : keys);
  return eachItem({
    kind: 'item',
    keyOf: (key: string) => key,
    find: async (except, limit) =>
      all()
        .filter(key => !except.includes(key))
        .slice(0, limit),
    roundMax: 5,
    async work(key) {
      await work(key);
      return 0;
    },
  });
}

function start(jobs: Job[]) {
  const controller = new AbortController();
  const failures: string[] = [];
  const figures = createJobFigures();
  const logger = {
    warn: ({ job, item }: { job: string; item?: string }) =>
      void failures.push(item === undefined ? job : `${job}: ${item}`),
  };
  const ended = runJobs({ jobs, signal: controller.signal, figures, logger });
  const stop = async () => {
    controller.abort();
    await ended;
  };
  return { failures, figures, stop };
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
