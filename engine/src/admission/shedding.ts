/**
 * What a call is for, as far as it matters under overload. Browsing is refused first, since it can be done again; finishing
 * what one has (a code, an order) last, since it frees units and hands.
 */
export type Urgency = 'browsing' | 'buying' | 'finishing';

export type Shedding = {
  /** Whether a call of this urgency is to be refused now. The hot path: one comparison. */
  refuses(urgency: Urgency): boolean;
  /** How late the event loop is, and how far overload has come. */
  state(): { lagMs: number; level: Level };
  close(): void;
};

type Level = 'none' | Urgency;

export type SheddingOptions = {
  /** Lag of the event loop at which buying is refused; 0 is never. */
  lagMaxMs: number;
  nowMs?: () => number;
};

/** Browsing is refused from half of what buying is refused at, finishing from twice of that. */
const thresholds: readonly [urgency: Urgency, share: number][] = [
  ['finishing', 2],
  ['buying', 1],
  ['browsing', 0.5],
];
const rankOf: Record<Level, number> = { none: 0, browsing: 1, buying: 2, finishing: 3 };

// A level that was reached is left when the lag is below half of what it takes: else one admitted request would bring it back
// at once, and answers would flicker.
const leaveShare = 0.5;
const sampleEveryMs = 50;
// The last 200 ms count for most of the lag. A single long turn, such as a collection of garbage, is no overload.
const smoothing = 0.25;

/**
 * Decides by how late the event loop is when to refuse early: that is time which every request of this process takes, on any
 * machine. How long decisions wait is a matter of their sale, and is looked at there (see SaleRoom).
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
