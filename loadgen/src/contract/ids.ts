import { problemSlug } from './answer.js';
import { Fields } from './fields.js';

export interface IdsAnswer {
  readonly slug: string;
  /** The first id of the answer; null if there was none. */
  readonly first: number | null;
}

const CREATED = 201;
const INVALID: IdsAnswer = { slug: 'invalid-answer', first: null };

/**
 * Reads the answer to a request for ids. Unless it has exactly the requested number of ids, in ascending order, it is
 * `invalid-answer`.
 *
 * @param count size of the batch; null for a single id.
 */
export function readIds(status: number, body: string, count: number | null): IdsAnswer {
  if (status !== CREATED) return { slug: problemSlug(body), first: null };
  try {
    const parsed: unknown = JSON.parse(body);
    const ids = count === null ? [new Fields(parsed, 'user').integer('id')] : Object(parsed).ids;
    const first: unknown = ids?.[0];
    if (!Array.isArray(ids) || ids.length !== (count ?? 1)) return INVALID;
    if (typeof first !== 'number' || !Number.isSafeInteger(first) || first < 1) return INVALID;
    const areInRow = ids.every((id, position) => id === first + position);
    return areInRow ? { slug: 'allocated', first } : INVALID;
  } catch {
    return INVALID;
  }
}
