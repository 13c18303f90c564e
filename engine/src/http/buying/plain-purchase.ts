/**
 * Whether a body is a purchase as nearly every client sends it: a product, a quantity, a shopper whose name is ASCII, a
 * payment method. What passes here passes the schema of POST /api/purchase unchanged, and costs less; the schema judges
 * everything else. A test holds the two against each other.
 */
export function isPlainPurchase(body: unknown): boolean {
  if (!isRecord(body) || !isWhole(body.productId)) return false;
  for (const field in body) {
    if (isPlain.get(field)?.(body[field]) !== true) return false;
  }
  return true;
}

// A Map, because an object would also know `hasOwnProperty` and the like.
const isPlain = new Map<string, (value: unknown) => boolean>([
  ['productId', isWhole],
  ['quantity', value => isWhole(value) && value <= 2_147_483_647],
  ['userId', value => typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value)],
  ['paymentMethod', value => typeof value === 'string' && /^[\x21-\x7e]{1,255}$/.test(value)],
]);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}
