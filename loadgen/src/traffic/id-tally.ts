/** A summary of the ids received. */
export interface IdFindings {
  readonly given: number;
  readonly first: number;
  readonly last: number;
  readonly duplicates: number;
  /** Ids between the first and the last that no answer contained. */
  readonly missing: number;
  /** Answers with an id that is not above every id answered before its request was sent. */
  readonly outOfOrder: number;
  /** Ids requested without a clear answer. As many may be missing after a crash. */
  readonly unanswered: number;
}

export interface IdTally {
  /** Request `ordinal` is about to be sent. */
  asked(ordinal: number): void;
  given(ordinal: number, first: number, count: number): void;
  refused(ordinal: number, count: number, isUnknown: boolean): void;
  findings(): IdFindings;
}

// A range is one number, so that millions of them sort quickly. Of the 53 bits that a double holds exactly, the upper
// 39 are the first id (549 billion ids) and the lower 14 the count, which is more than the largest batch.
const COUNTS = 2 ** 14;

/** Keeps every range of ids received, and the largest id known when it was requested. */
export function createIdTally(): IdTally {
  const ranges: number[] = [];
  const highestWhenAsked = new Map<number, number>();
  let highest = 0;
  let outOfOrder = 0;
  let unanswered = 0;

  return {
    asked(ordinal) {
      highestWhenAsked.set(ordinal, highest);
    },
    given(ordinal, first, count) {
      if (first <= (highestWhenAsked.get(ordinal) ?? 0)) outOfOrder += 1;
      highestWhenAsked.delete(ordinal);
      highest = Math.max(highest, first + count - 1);
      ranges.push(first * COUNTS + count);
    },
    refused(ordinal, count, isUnknown) {
      highestWhenAsked.delete(ordinal);
      if (isUnknown) unanswered += count;
    },
    findings: () => ({ ...countRanges(ranges), outOfOrder, unanswered }),
  };
}

function countRanges(
  ranges: readonly number[],
): Pick<IdFindings, 'given' | 'first' | 'last' | 'duplicates' | 'missing'> {
  const sorted = Float64Array.from(ranges).sort();
  const first = Math.floor((sorted[0] ?? 0) / COUNTS);
  let given = 0;
  let duplicates = 0;
  let missing = 0;
  let last = first - 1;
  for (const range of sorted) {
    const count = range % COUNTS;
    const from = Math.floor(range / COUNTS);
    const to = from + count - 1;
    given += count;
    missing += Math.max(0, from - last - 1);
    duplicates += Math.max(0, Math.min(last, to) - from + 1);
    last = Math.max(last, to);
  }
  return { given, first, last, duplicates, missing };
}
