/** The number of decided orders at a moment. */
export interface Look {
  readonly atMs: number;
  readonly decided: number;
}

/**
 * How fast workers decided a backlog. Between 10 % and 90 % of it all workers are busy. The total rate also includes
 * the start and the end, when only some of them work.
 */
export interface DecisionFigures {
  readonly decided: number;
  /**
   * Above 0 if workers decided orders while others were still being accepted. The rates then mix both kinds of work.
   */
  readonly decidedBefore: number;
  /** From the last look with nothing decided (or the first look) to the first look with everything decided. */
  readonly elapsedMs: number;
  readonly decidedPerSecond: number;
  /** Null if the backlog was decided too quickly to measure. */
  readonly middlePerSecond: number | null;
}

/** @returns null if no order was decided between two looks. */
export function decisionFigures(looks: readonly Look[], accepted: number): DecisionFigures | null {
  const begin = looks.findLast(({ decided }) => decided === 0) ?? looks[0];
  const end = looks.at(-1);
  if (begin === undefined || end === undefined || end.decided === begin.decided) return null;
  const from = looks.find(({ decided }) => decided >= accepted * 0.1);
  const to = looks.findLast(({ decided }) => decided <= accepted * 0.9);
  const hasMiddle = from !== undefined && to !== undefined && to.atMs > from.atMs;
  return {
    decided: end.decided - begin.decided,
    decidedBefore: begin.decided,
    elapsedMs: end.atMs - begin.atMs,
    decidedPerSecond: rate(begin, end),
    middlePerSecond: hasMiddle ? rate(from, to) : null,
  };
}

function rate(from: Look, to: Look): number {
  return ((to.decided - from.decided) / (to.atMs - from.atMs)) * 1000;
}
