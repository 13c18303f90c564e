import {
  createBuyer,
  isFinal,
  type Order,
  type Outcome,
  type Patience,
  type Progress,
} from '@doorbuster/client';
import { api } from '../api/client';
import { type Intent, noteSession } from './kept';

export type Sent = { orderId: string; code?: string };
export type Failure = Exclude<Outcome<Sent>, { kind: 'granted' }>;
type OnProgress = (progress: Progress) => void;

const buyer = createBuyer(api, { signIn: becomeShopper });

const patience: Partial<Patience> = {
  // As long as the intent is kept.
  totalMs: 15 * 60_000,
  // A shopper who was too quick is told so, and decides whether to go on.
  retried: new Set(['overloaded', 'unavailable', 'undecided', 'outcome-unknown', 'internal']),
};

/**
 * Whether the key may be forgotten.
 *
 * @param isResumed the key was sent before, and its outcome is open.
 */
export function isOver(outcome: Outcome<Sent>, isResumed: boolean): boolean {
  return isFinal(outcome) || (!isResumed && outcome.kind === 'refused' && outcome.tookNothing);
}

/** Sends until there is an outcome, or until it is a person's turn to decide; `isOver` says which. */
export async function sendIntent(intent: Intent, onProgress: OnProgress): Promise<Outcome<Sent>> {
  const { key, way, productId, quantity } = intent;
  const options = { key, onProgress, ...patience };
  if (way === 'hold') {
    const held = await buyer.checkout({ productId, quantity }, options);
    return told(held, ({ order, code }) => ({ orderId: order.id, code }));
  }
  if (way === 'queue') {
    const accepted = await buyer.order({ productId, quantity }, options);
    return told(accepted, ({ order_id: orderId }) => ({ orderId }));
  }
  return told(await buyer.purchase({ productId, quantity }, options), ({ order }) => ({ orderId: order.id }));
}

type Payment = { code: string; key: string; method: string };

/** Pays for a hold, or confirms one that costs nothing. */
export async function sendPayment(
  { code, key, method }: Payment,
  onProgress: OnProgress,
): Promise<Outcome<Sent>> {
  const paid = await buyer.purchase({ code, paymentMethod: method }, { key, onProgress, ...patience });
  return told(paid, ({ order }) => ({ orderId: order.id }));
}

export async function sendCancel(orderId: string): Promise<Outcome<Order>> {
  return told(await buyer.cancel(orderId, patience), order => order);
}

/** Notes in passing that this browser has a session. */
function told<From, To>(outcome: Outcome<From>, read: (value: From) => To): Outcome<To> {
  const isKnown = outcome.kind === 'refused' && outcome.slug !== 'not-authenticated';
  if (outcome.kind === 'granted' || isKnown) noteSession();
  return outcome.kind === 'granted' ? { ...outcome, value: read(outcome.value) } : outcome;
}

let becoming: Promise<boolean> | undefined;

/** A demo session, one for all that ask at once: a second one would hide the orders of the first. */
function becomeShopper(): Promise<boolean> {
  becoming ??= inOneTab(async () => {
    // Another tab may have been quicker.
    const known = await api.GET('/api/orders', { params: { query: { limit: '1' } } });
    if (known.response.status !== 401) return true;
    const { response } = await api.POST('/api/session');
    return response.ok;
  }).finally(() => {
    becoming = undefined;
  });
  return becoming;
}

/** Locks exist on https and localhost alone; without them two tabs in the same instant may become two shoppers. */
async function inOneTab(work: () => Promise<boolean>): Promise<boolean> {
  return 'locks' in navigator ? await navigator.locks.request('doorbuster:session', work) : work();
}
