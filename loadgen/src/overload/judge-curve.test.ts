import { describe, expect, it } from 'vitest';
import { failed, runAgainst } from '../fake-shop/run-against.js';
import type { Curve, StepFigures } from './curve.js';
import { curveText, judgeCurve } from './judge-curve.js';

const good: StepFigures = {
  multiple: 1,
  ratePerSecond: 100,
  elapsedMs: 1000,
  sent: 100,
  notSent: 0,
  confirmed: 100,
  refused: 0,
  errors: 0,
  confirmedPerSecond: 100,
  admittedMs: { p50: 5, p99: 900 },
  refusedMs: { p50: 1, p99: 49 },
};
const at10x: StepFigures = {
  ...good,
  multiple: 10,
  ratePerSecond: 1000,
  confirmedPerSecond: 115,
  refused: 885,
};

function failing(steps: StepFigures[], backToNormalS: number | null = 0): string[] {
  const curve: Curve = { ratePerSecond: 100, isFound: true, steps, backToNormalS };
  return judgeCurve(curve)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
}

describe('a curve', () => {
  it('passes if goodput holds, refusals and grants are quick, and recovery is prompt', () => {
    expect(failing([good, at10x])).toEqual([]);
  });

  it.each<[string, StepFigures[], number | null]>([
    ['goodput under overload', [good, { ...at10x, confirmedPerSecond: 80 }], 0],
    ['goodput under overload', [{ ...good, confirmedPerSecond: 80 }, at10x], 0],
    ['refused at once', [good, { ...at10x, refusedMs: { p50: 1, p99: 51 } }], 0],
    ['admitted in time', [good, { ...at10x, admittedMs: { p50: 5, p99: 1001 } }], 0],
    ['back to normal', [good, at10x], null],
    ['back to normal', [good, at10x], 11],
  ])('fails for %s alone', (name, steps, backToNormalS) => {
    expect(failing(steps, backToNormalS)).toEqual([name]);
  });

  it('is printed as a table with a line for each step', () => {
    const text = curveText({ ratePerSecond: 100, isFound: false, steps: [good, at10x], backToNormalS: 0 });
    expect(text.split('\n')).toHaveLength(4);
    expect(text).toMatch(/10x +1,000 /);
  });
});

// Each waits up to ten seconds for recovery, so they run side by side.
describe.concurrent('a climb', () => {
  const climb = ['--scenario', 'overload', '--connections', '50', '--duration', '0.5', '--rate', '40'];

  it('offers 1x, 2x, 5x, 10x and 1x again, uses each shopper once, and verifies all orders', async () => {
    const report = await runAgainst({}, ...climb);
    expect(report.curve?.steps.map(({ sent, notSent }) => sent + notSent)).toEqual([20, 40, 100, 200]);
    expect(report.curve).toMatchObject({ ratePerSecond: 40, isFound: false });
    expect(report.seen.keys).toBe(report.throughput.requests);
    expect(report.verdict.verified).toBe(true);
    expect(failed(report)).not.toContain('no acknowledged order lost');
  }, 60_000);

  it('accepts refusals and fails on lost orders', async () => {
    const report = await runAgainst({ overloadedEvery: 3, loseEvery: 50 }, ...climb);
    expect(report.curve?.steps.every(({ refused, errors }) => refused > 0 && errors === 0)).toBe(true);
    expect(failed(report)).toContain('no acknowledged order lost');
    expect(failed(report)).toContain('back to normal');
  }, 60_000);
});
