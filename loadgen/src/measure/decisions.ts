/** How many were decided at a moment. */
export interface Look {
  readonly atMs: number;
  readonly decided: number;
}

/**
 * How fast workers decided a backlog. Between 10 % and 90 % of it all workers are at work; the whole has in it that they do
 * not begin and end together.
 */
export interface DecisionFigures {
  readonly decided: number;
  /** Above 0 where workers were at work while orders were still being accepted: then the rates mix both. */
  readonly decidedBefore: number;
  /** From the last look at which nothing was decided, or the first of all, to the first at which all was. */
  readonly elapsedMs: number;
  readonly decidedPerSecond: number;
  /** Null where the backlog was too short to be seen between. */
  readonly middlePerSecond: number | null;
}

/** @returns null where nothing was decided between two looks. */
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
