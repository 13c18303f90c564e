import type { Shop } from './contract/shop.js';
import { type DecisionFigures, decisionFigures, type Look } from './measure/decisions.js';
import { startNotes } from './measure/progress.js';
import { tellParent } from './parent.js';
import type { Run } from './prepare.js';
import { counted, integer } from './text.js';
import { settledStock } from './verdict/settle.js';
import { countOpen } from './verdict/tally.js';

/** The result of the wait after the last answer. */
export interface Settled {
  /** How fast the workers decided a backlog; null if there was none to time, or it did not move. */
  readonly decisions: DecisionFigures | null;
  readonly interrupted: boolean;
}

// Ten looks per second at a number that the server keeps in memory.
const LOOK_INTERVAL_MS = 100;

/**
 * Waits for the state that the scenario requires after the answers, at most for `--settle-within`. The verdict judges
 * whether it was reached.
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
    // A parent process may start the workers only now.
    await tellParent('accepted');
    const looks = await awaitDecisions(prepared.shop, sale.productId, accepted, isOver, notes.tell);
    return { decisions: decisionFigures(looks, accepted), interrupted };
  } finally {
    notes.stop();
  }
}

/**
 * Waits until no unit is reserved and no order is queued. Reads the order list only while the stock does not change.
 */
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
    // Repeated equal readings carry no information.
    if (sold === looks.at(-2)?.decided) looks.splice(-2, 1);
    if (sold >= accepted) return looks;
    tell(`${integer(sold)} of ${integer(accepted)} orders decided`);
    await new Promise(resolve => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
  return looks;
}
