import { z } from 'zod';
import { orderStatuses } from '../../ledger/order-record.js';
import { methodLengthMax } from '../../payments/provider.js';
import { currencies } from '../../platform/currencies.js';
import { slugs } from './problem-slugs.js';

/** Shapes that several routes share. Nothing is coerced: a number is a number, an unknown field is an error. */

// An identity column starts at 1; JSON readers round numbers above 2^53 - 1.
export const idSchema = z.int().min(1).meta({ description: 'A positive whole number' });

/** An id in a path: only digits, so that `1e3`, ` 1` or `0x1` are not ids. */
export const idParamSchema = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'expected a positive whole number')
  .transform(Number);

// PostgreSQL's integer. A buyer may have far fewer; a quantity above the sale's limit gets that limit's own refusal.
export const quantitySchema = z.int().min(1).max(2_147_483_647);

/** `limit` of a listing; 100 by default. */
export const pageLimitSchema = (max: number) => {
  const message = `expected a whole number from 1 to ${max}`;
  return z
    .string()
    .regex(/^[1-9]\d{0,4}$/, message)
    .transform(Number)
    .refine(limit => limit <= max, message)
    .default(100);
};

/** `format` of a listing that is also available as a table. */
export const formatSchema = z
  .enum(['json', 'csv'])
  .optional()
  .meta({ description: 'Takes precedence over the Accept header' });

/**
 * Text for people to read: what PostgreSQL can store, up to a bound. Every text from a caller has this schema or the
 * next.
 */
export const textSchema = (min: number, max: number) =>
  z.string().min(min).max(max).refine(isStorable, 'expected text without U+0000 or lone surrogates');

/**
 * Text that identifies a person or a thing. Of two texts that look alike, at least one is refused, unless they are
 * equal.
 */
const nameSchema = (max: number) => z.string().min(1).max(max).refine(isName, nameRule);

const nameRule =
  'expected text in NFKC form, without white space except single spaces between words, and without control or invisible characters';

/** A shopper as the shop's own server names them: 1 to 128 characters, or a number. */
// The transformation encloses the union: inside it, the OpenAPI description would omit the number.
export const shopperIdSchema = z.union([nameSchema(128), z.int().min(0)]).transform(String);

export const headerUserIdSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 printable ASCII characters')
  .meta({ description: 'The shopper, on calls with an API key that have no userId in the body' });

const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters')
  .meta({
    description: 'Identifies the purchase: a retry with the same key returns the same order',
    examples: ['basket-7001'],
  });

/**
 * A time with its offset from UTC. Anything else ends the check (`abort`), so that rules that compare two times see
 * only valid times.
 */
export const timeSchema = z.iso.datetime({ offset: true, abort: true }).transform(text => new Date(text));

const currencyRule = 'expected the ISO 4217 code of a currency in use, such as EUR';

export const currencySchema = z.string().regex(/^[A-Z]{3}$/, currencyRule);

/** For new records. Existing ones may use a currency that has been withdrawn since. */
export const newCurrencySchema = currencySchema.refine(code => currencies.has(code), currencyRule);

/** Minor units. The bound keeps price times quantity below 2^53. */
export const priceSchema = z.int().min(0).max(1_000_000_000);

/** The payment provider's id of what the shopper pays with; never a card number. */
const paymentMethodSchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII characters')
  .max(methodLengthMax)
  .meta({ description: "The payment provider's id of the payment method, such as pm_card_visa" });

// An address as a shop writes it, or a digest of one.
function limitKeySchema(description: string) {
  return nameSchema(500).optional().meta({ description });
}

const requestTimeoutSchema = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,5}(\.\d{1,3})?$/, 'expected a number of seconds above 0, such as 1.5')
  .meta({
    description: 'How many seconds the caller will wait. A purchase that is not decided by then is refused.',
  });

/** Headers of the calls that buy. */
export const buyHeadersSchema = z.object({
  'idempotency-key': idempotencyKeySchema.optional(),
  'request-timeout': requestTimeoutSchema.optional(),
  'x-user-id': headerUserIdSchema.optional(),
});

/** What the calls that buy refuse. */
export const buyProblems = slugs(
  'not-authenticated',
  'product-not-found',
  'idempotency-key-reused',
  'sale-not-open',
  'limit-key-required',
  'limit-reached',
  'payment-limit-reached',
  'address-limit-reached',
  'decline-limit-reached',
  'sold-out',
  'token-required',
  'challenge-required',
  'challenge-failed',
  'overloaded',
  'undecided',
  'outcome-unknown',
);

/** Bodies of the calls that buy. */
export const buyBodySchema = z.strictObject({
  productId: idSchema,
  quantity: quantitySchema.default(1),
  userId: shopperIdSchema.optional().meta({ description: 'The shopper, on calls with an API key' }),
  paymentMethod: paymentMethodSchema.optional(),
  paymentFingerprint: limitKeySchema(
    'Identifies the card or account that pays; required by a sale with a perPaymentLimit, and only with an API key',
  ),
  addressKey: limitKeySchema(
    'Identifies the delivery address; required by a sale with a perAddressLimit, and only with an API key',
  ),
  challenge: textSchema(1, 1000).optional().meta({
    description:
      'The solution of the challenge from GET /api/challenge, in base64; required by a sale with a challenge',
  }),
  token: textSchema(1, 100)
    .optional()
    .meta({ description: 'The token from GET /api/purchase-token; required by a sale with requiresToken' }),
});

export const orderSchema = z.object({
  id: z.uuid(),
  productId: idSchema,
  productName: z.string(),
  quantity: z.int(),
  totalPrice: z.number().meta({ description: 'In major units of the currency, such as 258.00 euros' }),
  totalPriceMinor: z.int().meta({ description: 'In minor units of the currency, such as cents' }),
  currency: z.string(),
  remainingStock: z.int(),
  createdAt: z.iso.datetime(),
  status: z.enum(orderStatuses),
  reason: z
    .string()
    .nullable()
    .meta({ description: 'Why the order ended, unless the status already says so' }),
  expiresAt: z.iso
    .datetime()
    .nullable()
    .meta({ description: 'When the hold expires or expired; null if nothing was held' }),
  prize: z.boolean().nullable().meta({
    description:
      'Whether the order won the prize; null if the sale has none, or until the order is confirmed',
  }),
});

export const orderExample = {
  id: '29f28461-0ee4-88ee-afa9-bb9b284bc448',
  productId: 1,
  productName: 'Meridian trainers',
  quantity: 2,
  totalPrice: 258,
  totalPriceMinor: 25_800,
  currency: 'EUR',
  remainingStock: 9998,
  createdAt: '2026-11-20T12:00:00.000Z',
  status: 'CONFIRMED',
  reason: null,
  expiresAt: null,
  prize: null,
} as const satisfies z.input<typeof orderSchema>;

export const boughtSchema = z.object({ success: z.literal(true), message: z.string(), order: orderSchema });

// Most names are ASCII. In the others NFKC unifies composed, decomposed and full-width forms of a letter, and all
// spaces. Characters that no reader sees are refused: unassigned, control and format characters, fillers, the Braille
// blank.
function isName(text: string): boolean {
  if (/^[\x21-\x7e]+$/.test(text)) return true;
  if (!text.isWellFormed() || text.normalize('NFKC') !== text) return false;
  return !/^ | $| {2}|[^\S ]|[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
