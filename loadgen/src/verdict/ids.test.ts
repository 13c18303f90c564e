import { describe, expect, it } from 'vitest';
import type { Faults } from '../fake-shop/faults.js';
import { failed, runAgainst } from '../fake-shop/run-against.js';

const IDS = ['--scenario', 'ids', '--requests', '1000', '--connections', '20', '--batch', '7'];

describe.concurrent('ids', () => {
  it('of an honest server form one sequence', async () => {
    const report = await runAgainst({}, ...IDS, '--singles', '30');
    expect(failed(report)).toEqual([]);
    expect(report.verdict.checks.map(({ name }) => name)).toEqual([
      'only expected answers',
      'allocated',
      'no id twice',
      'no id missing',
      'ids in order',
    ]);
    expect(report.ids).toMatchObject({ given: 300 + 700 * 7, first: 1, last: 5200, missing: 0 });
  });

  it.each<[string, Faults, string]>([
    ['given twice', { repeatIdEvery: 100 }, 'no id twice'],
    ['left out', { skipIdEvery: 100 }, 'no id missing'],
    ['given later than larger ones', { delayIdEvery: 90 }, 'ids in order'],
    ['out of order within a batch', { tearBatchEvery: 100 }, 'only expected answers'],
    ['taken, and never answered', { cutAfterEvery: 100 }, 'only expected answers'],
  ])('that are %s fail the verdict', async (_name, faults, expected) => {
    const report = await runAgainst(faults, ...IDS, '--singles', '0');
    expect(failed(report)).toContain(expected);
  });

  it('may be missing if other callers take some, and all other checks still apply', async () => {
    const honest = await runAgainst({ skipIdEvery: 100 }, ...IDS, '--no-verify');
    expect(failed(honest)).toEqual([]);
    const broken = await runAgainst({ skipIdEvery: 100, repeatIdEvery: 70 }, ...IDS, '--no-verify');
    expect(failed(broken)).toEqual(['no id twice']);
  });

  it('may be missing for requests without an answer, if errors are tolerated', async () => {
    const tolerated = await runAgainst({ cutAfterEvery: 97 }, ...IDS, '--tolerate-errors');
    expect(failed(tolerated)).toEqual([]);
    const beyond = await runAgainst({ cutAfterEvery: 97, skipIdEvery: 2 }, ...IDS, '--tolerate-errors');
    expect(failed(beyond)).toEqual(['no id missing']);
  });
});
