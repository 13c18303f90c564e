import { describe, expect, it } from 'vitest';
import { createLockOut } from './lock-out.js';

describe('the lock-out', () => {
  it('locks a name after this many wrong secrets, for the given time, and no other name', () => {
    const { lockOut, pass } = create({ triesMax: 3 });
    for (let tries = 0; tries < 2; tries++) lockOut.failed(['ann', 'here']);
    expect(lockOut.waitSeconds(['ann'])).toBe(0);

    lockOut.failed(['ann']);
    expect(lockOut.waitSeconds(['ann'])).toBe(60);
    expect(lockOut.waitSeconds(['here', 'ann'])).toBe(60);
    expect(lockOut.waitSeconds(['here'])).toBe(0);
    pass(59_001);
    expect(lockOut.waitSeconds(['ann'])).toBe(1);
    pass(999);
    expect(lockOut.waitSeconds(['ann'])).toBe(0);
    lockOut.failed(['ann']);
    expect(lockOut.waitSeconds(['ann'])).toBe(0);
  });

  it('remembers the 10,000 names that tried most recently', () => {
    const { lockOut } = create({ triesMax: 1 });
    for (let name = 0; name < 10_001; name++) lockOut.failed([`user ${name}`]);
    expect(lockOut.waitSeconds(['user 0'])).toBe(0);
    expect(lockOut.waitSeconds(['user 1'])).toBe(60);
    expect(lockOut.waitSeconds(['user 10000'])).toBe(60);
  });

  it('locks no name when the limit is 0', () => {
    const { lockOut } = create({ triesMax: 0 });
    for (let tries = 0; tries < 100; tries++) lockOut.failed(['ann']);
    expect(lockOut.waitSeconds(['ann'])).toBe(0);
  });
});

function create({ triesMax }: { triesMax: number }) {
  let nowMs = 1_000_000;
  const pass = (durationMs: number) => {
    nowMs += durationMs;
  };
  return { lockOut: createLockOut({ triesMax, lockSeconds: 60, nowMs: () => nowMs }), pass };
}
