/**
 * How urgent a call is under overload. Browsing is refused first, because a shopper can repeat it. Finishing (a code,
 * an order) is refused last, because it frees units and capacity.
 */
export type Urgency = 'browsing' | 'buying' | 'finishing';

export type Shedding = {
  /** Whether to refuse a call of this urgency now. On the hot path: one comparison. */
  refuses(urgency: Urgency): boolean;
  /** How late the event loop is, and which level shedding has reached. */
  state(): { lagMs: number; level: Level };
  close(): void;
};

type Level = 'none' | Urgency;

export type SheddingOptions = {
  /** Lag of the event loop from which buying is refused; 0 turns shedding off. */
  lagMaxMs: number;
  nowMs?: () => number;
};

/** Browsing is refused from half the lag at which buying is refused, finishing from twice that lag. */
const thresholds: readonly [urgency: Urgency, share: number][] = [
  ['finishing', 2],
  ['buying', 1],
  ['browsing', 0.5],
];
const rankOf: Record<Level, number> = { none: 0, browsing: 1, buying: 2, finishing: 3 };

// A level is left when the lag falls below half of its threshold. Otherwise one admitted request would bring the level
// back at once, and answers would flicker.
const leaveShare = 0.5;
const sampleEveryMs = 50;
// The last 200 ms make up most of the lag. A single long turn, such as a garbage collection, is not an overload.
const smoothing = 0.25;

/**
 * Decides when to refuse early by how late the event loop is: every request of this process pays that time, on any
 * machine. The wait for decisions depends on the sale, so SaleRoom looks at that.
 */
export function createShedding(options: SheddingOptions): Shedding {
  const { nowMs = () => performance.now() } = options;
  let lagMs = 0;
  let level: Level = 'none';
  let expectedAtMs = nowMs() + sampleEveryMs;

  function sample(): void {
    const atMs = nowMs();
    lagMs += (Math.max(0, atMs - expectedAtMs) - lagMs) * smoothing;
    expectedAtMs = atMs + sampleEveryMs;
    level = levelAfter(level, options.lagMaxMs === 0 ? 0 : lagMs / options.lagMaxMs);
  }

  const sampler = setInterval(sample, sampleEveryMs).unref();
  return {
    refuses: urgency => rankOf[level] >= rankOf[urgency],
    state: () => ({ lagMs, level }),
    close: () => clearInterval(sampler),
  };
}

/** @param load 1 is where buying is refused. */
function levelAfter(before: Level, load: number): Level {
  const reached = levelAt(load);
  if (rankOf[reached] >= rankOf[before]) return reached;
  const kept = levelAt(load / leaveShare);
  return rankOf[kept] >= rankOf[before] ? before : kept;
}

function levelAt(load: number): Level {
  return thresholds.find(([, share]) => load >= share)?.[0] ?? 'none';
}
