import { plainArray, textArray } from './array-literal.js';

/**
 * Stand for a payment fingerprint and an address, which cannot be read from them; null where the sale does not count by
 * it.
 */
export type Digests = { payment: string | null; address: string | null };

type Request = {
  orderId: string;
  shopperId: string;
  quantity: number;
  receivedAtMs: number;
  digests?: Digests | undefined;
};

/** The requests of a batch, as parameters. */
export function requestArrays(requests: readonly Request[]) {
  const sentAtMs = performance.now();
  return {
    orderIds: plainArray(requests.map(({ orderId }) => orderId)),
    shopperIds: textArray(requests.map(({ shopperId }) => shopperId)),
    quantities: plainArray(requests.map(({ quantity }) => quantity)),
    /** How long each had waited when the batch was sent, in microseconds. */
    waitsUs: plainArray(requests.map(({ receivedAtMs }) => Math.round((sentAtMs - receivedAtMs) * 1000))),
    ...digestArrays(requests),
  };
}

/** Null if no request has any, as in most sales. */
function digestArrays(requests: readonly Request[]) {
  if (requests.every(({ digests }) => digests === undefined)) return { payments: null, addresses: null };
  return {
    payments: textArray(requests.map(({ digests }) => digests?.payment ?? null)),
    addresses: textArray(requests.map(({ digests }) => digests?.address ?? null)),
  };
}
