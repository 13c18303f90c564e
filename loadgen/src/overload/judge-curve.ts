import { integer, milliseconds } from '../text.js';
import { type Check, check } from '../verdict/check.js';
import type { Curve, StepFigures } from './curve.js';

// What a shop may expect from a server under ten times its sustainable load.
const GOODPUT_SHARE_MIN = 0.9;
const REFUSED_P99_MS_MAX = 50;
const ADMITTED_P99_MS_MAX = 1_000;
const BACK_TO_NORMAL_S_MAX = 10;

/** Beyond its limit a server must keep its goodput, refuse quickly, and recover soon. */
export function judgeCurve({ steps, backToNormalS }: Curve): Check[] {
  const peak = Math.max(0, ...steps.map(({ confirmedPerSecond }) => confirmedPerSecond));
  const slowestRefusal = worst(steps, ({ refusedMs }) => refusedMs.p99);
  const slowestGrant = worst(steps, ({ admittedMs }) => admittedMs.p99);
  // A step cannot achieve more than the load offered.
  const shareOf = ({ confirmedPerSecond, ratePerSecond }: StepFigures) =>
    confirmedPerSecond / Math.max(1, Math.min(peak, ratePerSecond));
  const share = Math.min(1, ...steps.map(shareOf));
  return [
    check(
      'goodput under overload',
      steps.length > 0 && share >= GOODPUT_SHARE_MIN,
      `at least ${integer(share * 100)} % of its peak of ${integer(peak)} orders/s`,
    ),
    check(
      'refused at once',
      slowestRefusal <= REFUSED_P99_MS_MAX,
      `P99 ${milliseconds(slowestRefusal)} ms at worst, ${REFUSED_P99_MS_MAX} allowed`,
    ),
    check(
      'admitted in time',
      slowestGrant <= ADMITTED_P99_MS_MAX,
      `P99 ${milliseconds(slowestGrant)} ms at worst, ${integer(ADMITTED_P99_MS_MAX)} allowed`,
    ),
    check(
      'back to normal',
      backToNormalS !== null && backToNormalS <= BACK_TO_NORMAL_S_MAX,
      backToNormalS === null ? 'not within 10 s' : `within ${(backToNormalS + 1).toFixed(0)} s`,
    ),
  ];
}

function worst(steps: readonly StepFigures[], figure: (step: StepFigures) => number): number {
  return Math.max(0, ...steps.map(figure));
}

/** The curve as a table. */
export function curveText({ ratePerSecond, isFound, steps }: Curve): string {
  const head = [
    '',
    'asked/s',
    'sent/s',
    'orders/s',
    'refused/s',
    'P50',
    'P99',
    'refused P50',
    'P99',
    'errors',
  ];
  const lines = steps.map(step => {
    const perSecond = (count: number) => integer((count * 1000) / Math.max(1, step.elapsedMs));
    return [
      `${step.multiple}x`,
      integer(step.ratePerSecond),
      perSecond(step.sent),
      integer(step.confirmedPerSecond),
      perSecond(step.refused),
      milliseconds(step.admittedMs.p50),
      milliseconds(step.admittedMs.p99),
      milliseconds(step.refusedMs.p50),
      milliseconds(step.refusedMs.p99),
      integer(step.errors),
    ];
  });
  const table = [head, ...lines].map(cells => cells.map(cell => cell.padStart(12)).join(''));
  const basis = `1x is ${integer(ratePerSecond)}/s, ${isFound ? '80 % of what 200 connections achieved' : 'as given'}`;
  return `Curve (${basis}; latency in ms)\n${table.join('\n')}`;
}
