import { api } from '../api/client';
import type { Intent } from './kept';
import { noteSession } from './kept';

/** What came of a try to buy or to pay. `lost` and what may be tried again have no outcome yet: the key is to be kept. */
export type Outcome =
  | { kind: 'granted'; orderId: string; code?: string }
  | { kind: 'refused'; slug: string; orderId?: string; retryAfterMs?: number }
  | { kind: 'lost' };

type Problem = { type: string; orderId?: string | undefined };
type Answered<Data> = { data?: Data | undefined; error?: Problem | undefined; response: Response };

export function sendIntent({ key, way, productId, quantity }: Intent): Promise<Outcome> {
  const request = () => ({
    params: { header: { 'idempotency-key': key } },
    body: { productId, quantity },
  });
  if (way === 'hold') {
    return outcomeOf(
      () => api.POST('/api/checkout', request()),
      ({ order, code }) => ({ orderId: order.id, code }),
    );
  }
  if (way === 'queue') {
    return outcomeOf(
      () => api.POST('/api/orders', request()),
      data => ({ orderId: data.order_id }),
    );
  }
  return outcomeOf(
    () => api.POST('/api/purchase', request()),
    ({ order }) => ({ orderId: order.id }),
  );
}

/** Pays for a hold, or confirms one that costs nothing. */
export function sendPayment(code: string, key: string, method: string): Promise<Outcome> {
  return outcomeOf(
    () =>
      api.POST('/api/purchase', {
        params: { header: { 'idempotency-key': key } },
        body: { code, paymentMethod: method },
      }),
    ({ order }) => ({ orderId: order.id }),
  );
}

export function sendCancel(orderId: string): Promise<Outcome> {
  return outcomeOf(
    () => api.DELETE('/api/orders/{id}', { params: { path: { id: orderId } } }),
    () => ({ orderId }),
  );
}

async function outcomeOf<Data>(
  send: () => Promise<Answered<Data>>,
  granted: (data: Data) => { orderId: string; code?: string },
): Promise<Outcome> {
  try {
    let answered = await send();
    if (answered.response.status === 401 && (await becomeShopper())) answered = await send();
    const { data, error, response } = answered;
    if (response.status !== 401) noteSession();
    return data === undefined ? refusal(error, response) : { kind: 'granted', ...granted(data) };
  } catch {
    return { kind: 'lost' };
  }
}

function refusal(problem: Problem | undefined, response: Response): Outcome {
  const slug = problem?.type?.split('/').at(-1);
  // A proxy between us and the shop has words of its own.
  if (slug === undefined) return { kind: 'lost' };
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return {
    kind: 'refused',
    slug,
    ...(problem?.orderId !== undefined && { orderId: problem.orderId }),
    ...(Number.isFinite(seconds) && { retryAfterMs: seconds * 1000 }),
  };
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
