import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { AdvisoryLock } from '../src/platform/advisory-locks.js';
import { createLeader, type Leader, type LeaderOptions } from '../src/platform/leader.js';
import type { Pool } from '../src/platform/postgres.js';
import { type Child, runChild } from './children/run-child.js';
import { until } from './support/condition.js';
import { createTestDatabase } from './support/database.js';
import { startFaultProxy } from './support/fault-proxy.js';

const beliefSchema = z.object({ from: z.number(), to: z.number() });

describe('leadership among several processes', () => {
  it('passes to another process within 5 s of a kill -9', async () => {
    const { url } = await createTestDatabase();
    const { leader, candidate } = await startTwo(url);

    const killedAtMs = performance.now();
    await leader.kill();
    expect(await candidate.nextLine()).toBe('leads');

    expect(performance.now() - killedAtMs).toBeLessThan(5000);
  });

  it('passes to another process once the leader is suspended; when it resumes it stops, and they never lead at once', async () => {
    const { url } = await createTestDatabase();
    const { leader, candidate } = await startTwo(url);

    const stoppedAtMs = performance.now();
    process.kill(leader.pid, 'SIGSTOP');
    expect(await candidate.nextLine()).toBe('leads');
    const takenAfterMs = performance.now() - stoppedAtMs;
    process.kill(leader.pid, 'SIGCONT');

    expect(await leader.nextLine()).toBe('stops');
    // 4 s of silence, a second until the candidate asks, and slack for a busy machine.
    expect(takenAfterMs).toBeLessThan(8000);
    const [before, after] = [await beliefOf(leader), await beliefOf(candidate)];
    expect(before.to).toBeLessThan(after.from);
    await candidate.kill();
    expect(await leader.nextLine()).toBe('leads');
  });

  it('is separate for each lock', async () => {
    const { url } = await createTestDatabase();
    const children = [startChild(url, 'scheduler'), startChild(url, 'attemptPartitions')];
    expect(await Promise.all(children.map(child => child.nextLine()))).toEqual(['leads', 'leads']);
  });
});

describe('a leader', () => {
  it('that loses its connection stops its work, and leads again only after the work has ended', async () => {
    const { url, pool } = await createTestDatabase();
    let atWork = 0;
    let terms = 0;
    let endWork = () => {};
    const { leader, errors } = startLeader(url, async signal => {
      expect(atWork).toBe(0);
      atWork += 1;
      terms += 1;
      await abortOf(signal);
      await new Promise<void>(resolve => {
        endWork = resolve;
      });
      atWork -= 1;
    });
    await until('it leads', () => leader.isLeader() && terms === 1);

    const { rows } = await pool.query<{ pid: number }>(heldLocks);
    await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await until('it no longer leads', () => !leader.isLeader());
    await until('the lock is free', async () => (await locksHeld(pool)) === 0);
    expect({ atWork, terms }).toEqual({ atWork: 1, terms: 1 });
    endWork();

    await until('it leads again', () => leader.isLeader() && terms === 2);
    expect(errors).toHaveLength(1);
    endWork = () => {};
    await finish(leader, () => endWork());
  });

  it('whose server stops responding stops before the server would give the lock to another', async () => {
    const { url } = await createTestDatabase();
    const proxy = await startFaultProxy(url);
    const stoppedAfterMs: number[] = [];
    let silentAtMs = 0;
    const { leader } = startLeader(proxy.url, async signal => {
      await abortOf(signal);
      stoppedAfterMs.push(performance.now() - silentAtMs);
    });
    await until('it leads', leader.isLeader);

    silentAtMs = performance.now();
    proxy.setSilent(true);
    await until('its work has ended', () => stoppedAfterMs.length > 0, 10_000);

    expect(leader.isLeader()).toBe(false);
    expect(stoppedAfterMs[0]).toBeLessThan(4000);
    proxy.setSilent(false);
    await until('it leads again', leader.isLeader, 10_000);
  });

  it('ends its work before it closes, and then another leads', async () => {
    const { url, pool } = await createTestDatabase();
    let isAtWork = false;
    const { leader } = startLeader(url, async signal => {
      isAtWork = true;
      await abortOf(signal);
      // The leader still holds the lock here.
      expect(await locksHeld(pool)).toBe(1);
      isAtWork = false;
    });
    await until('the first leads', () => isAtWork);
    const { leader: second } = startLeader(url, abortOf);

    await leader.close();
    expect(isAtWork).toBe(false);
    await until('the second leads', second.isLeader);
  });

  it('whose work fails reports it and competes again', async () => {
    const { url } = await createTestDatabase();
    let terms = 0;
    const { leader, errors } = startLeader(url, async signal => {
      terms += 1;
      if (terms === 1) throw new Error('no luck');
      await abortOf(signal);
    });
    await until('it leads again', () => terms === 2 && leader.isLeader());
    expect(errors.map(String)).toEqual(['Error: no luck']);
  });
});

describe('a candidate', () => {
  it('keeps trying without a database, and ends promptly', async () => {
    const { leader, errors } = startLeader('postgres://nobody@127.0.0.1:1/none', abortOf);
    await until('it has tried three times', () => errors.length >= 3, 10_000);
    expect(leader.isLeader()).toBe(false);
    await leader.close();
  });
});

function startLeader(url: string, lead: LeaderOptions['lead']): { leader: Leader; errors: unknown[] } {
  const errors: unknown[] = [];
  const connection = { connectionString: url };
  const leader = createLeader({ connection, lock: 'scheduler', lead, onError: error => errors.push(error) });
  onTestFinished(() => leader.close());
  return { leader, errors };
}

async function startTwo(url: string): Promise<{ leader: Child; candidate: Child }> {
  const leader = startChild(url, 'scheduler');
  expect(await leader.nextLine()).toBe('leads');
  const candidate = startChild(url, 'scheduler');
  // It answers once it runs; its first attempt to take the lock follows within milliseconds.
  candidate.writeLine('?');
  expect(await candidate.nextLine()).toBe('null');
  return { leader, candidate };
}

function startChild(url: string, lock: AdvisoryLock): Child {
  const child = runChild('lead.ts', url, lock);
  onTestFinished(() => child.kill());
  return child;
}

async function beliefOf(child: Child) {
  child.writeLine('?');
  return beliefSchema.parse(JSON.parse(await child.nextLine()));
}

async function finish(leader: Leader, endWork: () => void): Promise<void> {
  const closed = leader.close();
  await until('the work was told to end', () => !leader.isLeader());
  endWork();
  await closed;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve()));
}

async function locksHeld(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(heldLocks);
  return rowCount ?? 0;
}

// Only of this database: others on the same server have their own leaders.
const heldLocks = `select pid from pg_locks where locktype = 'advisory' and granted
  and database = (select oid from pg_database where datname = current_database())`;
