import type { Shop } from './contract/shop.js';
import { startNotes } from './measure/progress.js';
import type { Run } from './prepare.js';
import { counted, integer } from './text.js';
import { settledStock } from './verdict/settle.js';
import { countOpen } from './verdict/tally.js';

/** What was waited for, after the last answer. */
export interface Settled {
  /** How fast the workers decided a backlog; null where there was none to be timed, or it did not move. */
  readonly decisions: DecisionFigures | null;
  readonly interrupted: boolean;
}

/** Between 10 % and 90 % of the backlog all workers are at work; the whole includes their start and the end of the last. */
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

// Ten looks a second at a number that the server has in memory.
const LOOK_INTERVAL_MS = 100;

/**
 * Waits for what the scenario says must come after the answers, at most for `--settle-within`. Whether it came is judged
 * by the verdict.
 */
export async function settleRun(
  prepared: Run,
  onInterruptible: (interrupt: () => void) => void,
): Promise<Settled> {
  const { plan, sale, options } = prepared;
  if (sale === null || plan.settling === 'nothing') return { decisions: null, interrupted: false };
  let interrupted = false;
  onInterruptible(() => {
    interrupted = true;
  });
  const deadlineMs = performance.now() + options.settlePatienceMs;
  const isOver = () => interrupted || performance.now() > deadlineMs;
  const notes = startNotes(options.quiet);
  try {
    if (plan.settling === 'ends') {
      await awaitEnds(prepared.shop, sale, isOver, notes.tell);
      return { decisions: null, interrupted };
    }
    const accepted = prepared.acknowledged.size;
    // A parent that is to start the workers now, and not before, hears of it.
    process.send?.('accepted');
    const looks = await awaitDecisions(prepared.shop, sale.productId, accepted, isOver, notes.tell);
    return { decisions: decisionFigures(looks, accepted), interrupted };
  } finally {
    notes.stop();
  }
}

/** Until no unit is reserved and no order is queued. The list is read only while the stock stands still. */
async function awaitEnds(
  shop: Shop,
  { productId, saleId }: { productId: number; saleId: number },
  isOver: () => boolean,
  tell: (text: string) => void,
): Promise<void> {
  while (!isOver()) {
    const { reserved } = await settledStock(shop, productId, true);
    const open = reserved > 0 ? reserved : await countOpen(shop, saleId);
    if (open === 0) return;
    tell(`${reserved > 0 ? counted(open, 'unit') : counted(open, 'order')} still open`);
  }
}

/** How many were decided at a moment. */
export interface Look {
  readonly atMs: number;
  readonly decided: number;
}

async function awaitDecisions(
  shop: Shop,
  productId: number,
  accepted: number,
  isOver: () => boolean,
  tell: (text: string) => void,
): Promise<Look[]> {
  const looks: Look[] = [];
  while (!isOver()) {
    const { sold } = await shop.stock(productId);
    looks.push({ atMs: performance.now(), decided: sold });
    // While nothing moves there is nothing to keep.
    if (sold === looks.at(-2)?.decided) looks.splice(-2, 1);
    if (sold >= accepted) return looks;
    tell(`${integer(sold)} of ${integer(accepted)} orders decided`);
    await new Promise(resolve => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
  return looks;
}

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
