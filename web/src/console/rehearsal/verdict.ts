import { count, units } from '../../ui/format';
import { type Rehearsal, type Report, toldOf } from './rehearsals';

export type Verdict = { tone: 'good' | 'bad' | 'plain'; title: string; sentences: readonly string[] };

/** What came of a rehearsal, in words. */
export function verdictOf({ status, report, failure, allocation }: Rehearsal): Verdict {
  if (status === 'running') return { tone: 'plain', title: 'Under way', sentences: [] };
  if (report === null) return { tone: 'bad', title: 'There is no verdict', sentences: [failure ?? ''] };
  const { sold } = toldOf(report.outcomes);
  const holds = report.verdict.result === 'pass';
  return {
    tone: holds ? 'good' : 'bad',
    title: holds ? `Sold exactly ${count(sold)}` : 'The engine broke a promise',
    sentences: [
      ...(status === 'stopped' ? ['It was stopped early.'] : []),
      `${units(allocation)} ${allocation === 1 ? 'was' : 'were'} on sale, and ${count(sold)} sold.`,
      damageIn(report),
      ...report.verdict.checks
        .filter(({ ok }) => !ok)
        .map(({ name, detail }) => `Not so: ${name}. ${detail}.`),
      loadIn(report),
      latencyIn(report),
    ],
  };
}

function damageIn({ damage }: Report): string {
  if (damage === null) return 'The engine could not be asked for its orders afterwards.';
  const { lost, altered, duplicated, oversold } = damage;
  if (lost + altered + duplicated + oversold === 0) {
    return 'Nothing was oversold, no order was lost, none was made twice.';
  }
  return `${count(oversold)} oversold, ${count(lost)} orders lost, ${count(altered)} not as answered, ${count(duplicated)} made twice.`;
}

function loadIn({ throughput, outcomes }: Report): string {
  const { refused, turnedAway, unanswered } = toldOf(outcomes);
  const away = turnedAway > 0 ? `, ${count(turnedAway)} that there were too many of them` : '';
  const silent = unanswered > 0 ? ` ${count(unanswered)} got no answer.` : '';
  return (
    `${count(throughput.requests)} requests, ${count(Math.round(throughput.requestsPerSecond))} a second: ` +
    `${count(refused)} were told that it is sold out or that they have theirs${away}.${silent}`
  );
}

function latencyIn({ latencyMs: { corrected } }: Report): string {
  const { p50, p95, p99, max } = corrected;
  return `Half were answered within ${ms(p50)}, 95 % within ${ms(p95)}, 99 % within ${ms(p99)}, the last within ${ms(max)}.`;
}

export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${count(Math.round(value))} ms`;
}
