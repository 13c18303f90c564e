/** Work that is due again and again. It must do no harm if it is done twice, or by two processes at the same time. */
export type Job = {
  name: string;
  /** Pause after a round that found nothing to do. */
  everyMs: number;
  run: Run;
};

/** One round. @returns how many things it has done; after more than none the next one follows at once. */
export type Run = (round: Round) => Promise<number>;

/** What a round is given by its runner. */
export type Round = {
  /** Aborts when the process stops leading, or ends. */
  signal: AbortSignal;
  /** Tells of an item that failed, and how often in a row it has; the job goes on with the others. */
  onItemFailed(item: string, failures: number, error: unknown): void;
  /** How many items are failing now. */
  onItemsFailing(count: number): void;
  /** Has the runner wait for work that outlasts the round before it ends. */
  hold(work: Promise<void>): void;
};
