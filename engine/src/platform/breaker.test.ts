import { describe, expect, it } from 'vitest';
import { type BreakerState, createBreaker } from './breaker.js';

const failuresMax = 3;
const openMs = 1000;

describe('a closed breaker', () => {
  it('opens after failuresMax failures in a row, and not before', async () => {
    const { breaker, fail, moves } = createRig();
    await fail(failuresMax - 1);
    expect(breaker.state()).toBe('closed');
    await fail(1);
    expect(breaker.state()).toBe('open');
    expect(moves).toEqual(['open: fault 3']);
  });

  it('starts counting again after a success', async () => {
    const { breaker, fail, succeed, moves } = createRig();
    for (let i = 0; i < 5; i++) {
      await fail(failuresMax - 1);
      await succeed();
    }
    expect(breaker.state()).toBe('closed');
    expect(moves).toEqual([]);
  });

  it('ignores errors that are not failures: they neither count nor reset the count', async () => {
    const { breaker, fail, answerWithError } = createRig();
    for (let i = 0; i < 20; i++) await answerWithError();
    await fail(failuresMax - 1);
    await answerWithError();
    expect(breaker.state()).toBe('closed');
    await fail(1);
    expect(breaker.state()).toBe('open');
  });

  it('passes results and errors through unchanged', async () => {
    const { breaker } = createRig();
    expect(await breaker.run(async () => 'result')).toBe('result');
    const error = new Error('fault');
    await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('an open breaker', () => {
  it('refuses without a call until openMs have passed, to the millisecond', async () => {
    const { breaker, open, pass, isCalled } = createRig();
    await open();
    pass(openMs - 1);
    expect(await isCalled()).toBe(false);
    expect(breaker.state()).toBe('open');
    pass(1);
    expect(await isCalled()).toBe(true);
  });

  it('does not become half-open without a call', async () => {
    const { breaker, open, pass } = createRig();
    await open();
    pass(60 * openMs);
    expect(breaker.state()).toBe('open');
  });
});

describe('a half-open breaker', () => {
  it('makes one call as its probe, and refuses all others until the probe ends', async () => {
    const { breaker, moves, isCalled, start, halfOpen } = createRig();
    await halfOpen();
    const probe = start();
    expect(breaker.state()).toBe('half-open');
    expect([await isCalled(), await isCalled()]).toEqual([false, false]);
    await probe.succeed();
    expect(breaker.state()).toBe('closed');
    expect(await isCalled()).toBe(true);
    expect(moves).toEqual(['open: fault 3', 'half-open', 'closed']);
  });

  it('counts failures from zero once it closes', async () => {
    const { breaker, fail, succeed, halfOpen } = createRig();
    await halfOpen();
    await succeed();
    await fail(failuresMax - 1);
    expect(breaker.state()).toBe('closed');
    await fail(1);
    expect(breaker.state()).toBe('open');
  });

  it('closes if its probe ends with an error that is not a failure', async () => {
    const { breaker, answerWithError, halfOpen } = createRig();
    await halfOpen();
    await answerWithError();
    expect(breaker.state()).toBe('closed');
  });

  it('opens again for all of openMs if its probe fails', async () => {
    const { breaker, moves, pass, fail, isCalled, halfOpen } = createRig();
    await halfOpen();
    pass(500);
    await fail(1);
    expect(breaker.state()).toBe('open');
    pass(openMs - 1);
    expect(await isCalled()).toBe(false);
    pass(1);
    expect(await isCalled()).toBe(true);
    expect(moves).toEqual(['open: fault 3', 'half-open', 'open: fault 4', 'half-open', 'closed']);
  });
});

describe('a call that ends after the breaker has changed state', () => {
  it('neither closes nor opens it', async () => {
    const { breaker, start, open, pass, succeed } = createRig();
    const [early, late, latest] = [start(), start(), start()];
    await open();
    await early.succeed();
    expect(breaker.state()).toBe('open');
    pass(openMs);
    const probe = start();
    await late.fail();
    expect(breaker.state()).toBe('half-open');
    await probe.succeed();
    await latest.fail();
    await succeed();
    expect(breaker.state()).toBe('closed');
  });

  it('does not count towards the failures since then', async () => {
    const { breaker, start, fail, succeed, halfOpen } = createRig();
    const old = Array.from({ length: failuresMax }, () => start());
    await halfOpen();
    await succeed();
    for (const call of old) await call.fail();
    await fail(failuresMax - 1);
    expect(breaker.state()).toBe('closed');
  });
});

/** A breaker with a clock that advances only when a test lets time pass. */
function createRig() {
  let nowMs = 5000;
  let faults = 0;
  const moves: string[] = [];
  const breaker = createBreaker({
    failuresMax,
    openMs,
    isFailure: error => error instanceof Error && error.message.startsWith('fault'),
    refusal: () => new Error('refused'),
    onMove: (state: BreakerState, error) =>
      moves.push(error instanceof Error ? `${state}: ${error.message}` : state),
    nowMs: () => nowMs,
  });

  /** Starts a call that lasts until the test ends it. */
  function start() {
    const { promise, resolve, reject } = deferred();
    const ended = breaker.run(() => promise).catch(() => {});
    function end(how: () => void): Promise<void> {
      how();
      return ended;
    }
    return {
      succeed: () => end(resolve),
      fail: () => end(() => reject(new Error(`fault ${++faults}`))),
      answerWithError: () => end(() => reject(new Error('an answer'))),
    };
  }

  function pass(durationMs: number): void {
    nowMs += durationMs;
  }

  async function fail(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await start().fail();
  }
  async function isCalled(): Promise<boolean> {
    return breaker.run(async () => true).catch(() => false);
  }
  const open = () => fail(failuresMax);
  return {
    breaker,
    moves,
    start,
    pass,
    fail,
    isCalled,
    open,
    succeed: () => start().succeed(),
    answerWithError: () => start().answerWithError(),
    /** Opens the breaker and lets openMs pass, so that the next call is the probe. */
    async halfOpen() {
      await open();
      pass(openMs);
    },
  };
}

function deferred() {
  let resolve = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
