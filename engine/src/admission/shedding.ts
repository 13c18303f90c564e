/**
 * What a call is for, as far as it matters under overload. Browsing is refused first, since it can be done again; finishing
 * what one has (a code, an order) last, since it frees units and hands.
 */
export type Urgency = 'browsing' | 'buying' | 'finishing';

export type Shedding = {
  /** Whether a call of this urgency is to be refused now. The hot path: one comparison. */
  refuses(urgency: Urgency): boolean;
  /** The two signs of overload, in milliseconds, and how far it has come. */
  state(): { lagMs: number; waitMs: number; level: Level };
  close(): void;
};

type Level = 'none' | Urgency;

export type SheddingOptions = {
  /** Lag of the event loop at which buying is refused; 0 is never. */
  lagMaxMs: number;
  /** Age of the oldest waiting decision at which buying is refused; 0 is never. */
  waitMaxMs: number;
  oldestWaitMs: () => number;
  nowMs?: () => number;
};

/** Browsing is refused from half of what buying is refused at, finishing from twice of that. */
const thresholds: readonly [urgency: Urgency, share: number][] = [
  ['finishing', 2],
  ['buying', 1],
  ['browsing', 0.5],
];
const rankOf: Record<Level, number> = { none: 0, browsing: 1, buying: 2, finishing: 3 };

// A level that was reached is left when both signs are below half of what it takes: else one admitted request would bring
// it back at once, and answers would flicker.
const leaveShare = 0.5;
const sampleEveryMs = 50;
// The last 200 ms count for most of the lag. A single long turn, such as a collection of garbage, is no overload.
const smoothing = 0.25;

/**
 * Decides by two signs when to refuse early: how late the event loop is, and how long the oldest decision has been waiting.
 * Both tell of the time that the next request would take, whatever the machine; a fixed rate would be right on one alone.
 */
export function createShedding(options: SheddingOptions): Shedding {
  const { nowMs = () => performance.now() } = options;
  let lagMs = 0;
  let waitMs = 0;
  let level: Level = 'none';
  let expectedAtMs = nowMs() + sampleEveryMs;

  function sample(): void {
    const atMs = nowMs();
    lagMs += (Math.max(0, atMs - expectedAtMs) - lagMs) * smoothing;
    expectedAtMs = atMs + sampleEveryMs;
    waitMs = options.oldestWaitMs();
    level = levelAfter(level, loadOf(lagMs, waitMs, options));
  }

  const sampler = setInterval(sample, sampleEveryMs).unref();
  return {
    refuses: urgency => rankOf[level] >= rankOf[urgency],
    state: () => ({ lagMs, waitMs, level }),
    close: () => clearInterval(sampler),
  };
}

/** 1 is where buying is refused, by the worse of the two signs. */
function loadOf(
  lagMs: number,
  waitMs: number,
  { lagMaxMs, waitMaxMs }: Pick<SheddingOptions, 'lagMaxMs' | 'waitMaxMs'>,
): number {
  return Math.max(lagMaxMs === 0 ? 0 : lagMs / lagMaxMs, waitMaxMs === 0 ? 0 : waitMs / waitMaxMs);
}

function levelAfter(before: Level, load: number): Level {
  const reached = levelAt(load);
  if (rankOf[reached] >= rankOf[before]) return reached;
  const kept = levelAt(load / leaveShare);
  return rankOf[kept] >= rankOf[before] ? before : kept;
}

function levelAt(load: number): Level {
  return thresholds.find(([, share]) => load >= share)?.[0] ?? 'none';
}
