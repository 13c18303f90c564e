/**
 * The outcome of one request. `status` is null if no answer came. The slug is then the loss that the connection
 * reported, `overflow` (due in an open loop while the generator's queue was full), or `unsent` (planned, but the run
 * was given up).
 */
export interface Outcome {
  readonly status: number | null;
  readonly slug: string;
}

export interface OutcomeCount extends Outcome {
  count: number;
}

/** Counts requests by status and slug. */
export class Outcomes {
  readonly #counts = new Map<string, OutcomeCount>();

  add(status: number | null, slug: string, count = 1): void {
    const key = `${status ?? '-'} ${slug}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += count;
    else if (count > 0) this.#counts.set(key, { status, slug, count });
  }

  /** Most frequent first. */
  list(): OutcomeCount[] {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count);
  }

  count(matches: (outcome: Outcome) => boolean): number {
    return this.list().reduce((sum, outcome) => sum + (matches(outcome) ? outcome.count : 0), 0);
  }

  countOf(slug: string): number {
    return this.count(outcome => outcome.slug === slug);
  }
}

/** A request that was sent and may have taken effect although no success was answered. */
export function isUnknown({ status, slug }: Outcome): boolean {
  return status === null ? slug !== 'overflow' && slug !== 'unsent' : status >= 500;
}

/**
 * The effects that a crash of the server may have on a request: no answer, or 503. Any other error counts even then.
 */
export function isCrashRelated({ status, slug }: Outcome): boolean {
  return status === 503 || (status === null && slug !== 'malformed-answer' && slug !== 'overflow');
}
