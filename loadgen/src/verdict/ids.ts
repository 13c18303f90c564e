import { counted, integer } from '../text.js';
import type { Facts } from './answers.js';
import { type Check, check } from './check.js';

/** The ids form one sequence: none twice, none missing, and a later request gets larger ids. */
export function idsInOneRow({ ids, tolerateErrors, othersMayTake }: Facts): Check[] {
  if (ids === null) return [];
  const { given, duplicates, missing, outOfOrder, unanswered, first, last } = ids;
  const allowed = tolerateErrors ? unanswered : 0;
  const allowance = allowed > 0 ? `, ${integer(allowed)} allowed by requests without a clear answer` : '';
  const row = `${integer(missing)} missing from ${integer(first)} to ${integer(last)}${allowance}`;
  return [
    check('no id twice', duplicates === 0, `${integer(duplicates)} of ${integer(given)}`),
    ...(othersMayTake ? [] : [check('no id missing', missing <= allowed, row)]),
    check(
      'ids in order',
      outOfOrder === 0,
      `${counted(outOfOrder, 'answer')} not above those before the request`,
    ),
  ];
}
