/** Recurring work. It must do no harm if it is done twice, or by two processes at the same time. */
export type Job = {
  name: string;
  /** Pause after a round that found nothing to do. */
  everyMs: number;
  run: Run;
};

/** One round. @returns how many things it has done; unless it is 0, the next round follows at once. */
export type Run = (round: Round) => Promise<number>;

/** What the runner passes to a round. */
export type Round = {
  /** Aborts when the process stops leading, or ends. */
  signal: AbortSignal;
  /** Reports a failed item and its consecutive failures; the job continues with the others. */
  onItemFailed(item: string, failures: number, error: unknown): void;
  /** Reports how many items are failing now. */
  onItemsFailing(count: number): void;
  /** Makes the runner wait, before it ends, for work that outlasts the round. */
  hold(work: Promise<void>): void;
};
