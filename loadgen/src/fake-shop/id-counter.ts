import type { Faults } from './faults.js';

/** Counts from 1 and breaks the contract on demand. */
export class IdCounter {
  #last = 0;
  #requests = 0;
  #keptBack: number[] | null = null;

  constructor(readonly faults: Faults) {}

  take(count: number): number[] {
    this.#requests += 1;
    const isNth = (every: number | undefined) => every !== undefined && this.#requests % every === 0;
    if (isNth(this.faults.repeatIdEvery)) this.#last = Math.max(0, this.#last - 1);
    if (isNth(this.faults.skipIdEvery)) this.#last += 1;
    const ids = Array.from({ length: count }, (_, position) => this.#last + 1 + position);
    this.#last += count;
    if (isNth(this.faults.tearBatchEvery)) ids.reverse();
    if (isNth(this.faults.delayIdEvery)) return this.#swap(ids);
    return ids;
  }

  /** Returns the ids withheld earlier, long after they were taken. */
  #swap(ids: number[]): number[] {
    const before = this.#keptBack;
    this.#keptBack = ids;
    return before?.length === ids.length ? before : this.take(ids.length);
  }
}
