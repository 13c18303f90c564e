import { z } from 'zod';
import { currencies } from '../../ledger/currencies.js';
import { orderStatuses } from '../../ledger/order-record.js';
import { methodLengthMax } from '../../payments/provider.js';
import { slugs } from './problem-slugs.js';

/** Shapes that several routes share. Nothing is coerced: a number is a number, an unknown field is an error. */

// An identity column starts at 1; beyond 2^53 - 1 JSON readers round.
export const idSchema = z.int().min(1).meta({ description: 'A whole number from 1' });

/** An id in a path: digits alone, so that `1e3`, ` 1` or `0x1` name nothing. */
export const idParamSchema = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'expected a whole number from 1')
  .transform(Number);

// PostgreSQL's integer. What a buyer may have is far less, and the sale's limit says so with its own answer.
export const quantitySchema = z.int().min(1).max(2_147_483_647);

/** `limit` of a listing; 100 unless said. */
export const pageLimitSchema = (max: number) => {
  const message = `expected a whole number from 1 to ${max}`;
  return z
    .string()
    .regex(/^[1-9]\d{0,4}$/, message)
    .transform(Number)
    .refine(limit => limit <= max, message)
    .default(100);
};

/** `format` of a listing that can be a table. */
export const formatSchema = z
  .enum(['json', 'csv'])
  .optional()
  .meta({ description: 'Wins over the Accept header' });

/** Text to read: what PostgreSQL can keep, with a bound. Every text that a caller writes is this one or the next. */
export const textSchema = (min: number, max: number) =>
  z.string().min(min).max(max).refine(isStorable, 'expected text without U+0000 or lone surrogates');

/** Text that stands for somebody or something: two that look alike are one, or one of them is refused. */
const nameSchema = (max: number) => z.string().min(1).max(max).refine(isName, nameRule);

const nameRule =
  'expected text in its NFKC form, without white space but for single spaces inside, and without control or invisible characters';

/** Shoppers of the shop's own server: a name of 1 to 128 characters, or a number. */
// The transformation stands around the union: inside of it the description would leave the number out.
export const shopperIdSchema = z.union([nameSchema(128), z.int().min(0)]).transform(String);

export const headerUserIdSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 printable ASCII characters')
  .meta({ description: 'The shopper, for calls with the API key that have no userId in the body' });

const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable ASCII characters')
  .meta({ description: 'Names the intent: a retry with the same key is the same purchase' });

/** A moment with its offset from UTC. What is none ends the check: rules about two moments are asked of moments alone. */
export const timeSchema = z.iso.datetime({ offset: true, abort: true }).transform(text => new Date(text));

const currencyRule = 'expected the ISO 4217 code of a currency in use, such as EUR';

export const currencySchema = z.string().regex(/^[A-Z]{3}$/, currencyRule);

/** Of what is new; what was made before may be in one that has been withdrawn since. */
export const newCurrencySchema = currencySchema.refine(code => currencies.has(code), currencyRule);

/** Minor units. The bound keeps price times quantity below 2^53. */
export const priceSchema = z.int().min(0).max(1_000_000_000);

/** What a shopper pays with, in the payment provider's own words; never a card number. */
const paymentMethodSchema = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII characters')
  .max(methodLengthMax)
  .meta({ description: "The payment provider's name for what is charged, such as pm_card_visa" });

// An address as a shop writes it, or a digest of one.
function limitKeySchema(description: string) {
  return nameSchema(500).optional().meta({ description });
}

const requestTimeoutSchema = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,5}(\.\d{1,3})?$/, 'expected seconds above 0, such as 1.5')
  .meta({ description: 'Seconds that the caller waits: a purchase that has no turn by then is refused' });

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
  userId: shopperIdSchema.optional().meta({ description: 'The shopper; counts with the API key alone' }),
  paymentMethod: paymentMethodSchema.optional(),
  paymentFingerprint: limitKeySchema(
    'What is the same whenever the same card or account pays, where the sale has a perPaymentLimit; with the API key alone',
  ),
  addressKey: limitKeySchema(
    'What is the same for the same address, where the sale has a perAddressLimit; with the API key alone',
  ),
  challenge: textSchema(1, 1000)
    .optional()
    .meta({ description: 'The solved challenge, where the sale asks for one: base64 as solvers give it' }),
  token: textSchema(1, 100)
    .optional()
    .meta({ description: 'Of GET /api/purchase-token, where the sale wants one' }),
});

export const orderSchema = z.object({
  id: z.uuid(),
  productId: idSchema,
  productName: z.string(),
  quantity: z.int(),
  totalPrice: z.number().meta({ description: 'Decimal, in units of the currency' }),
  totalPriceMinor: z.int().meta({ description: 'In minor units of the currency' }),
  currency: z.string(),
  remainingStock: z.int(),
  createdAt: z.iso.datetime(),
  status: z.enum(orderStatuses),
  reason: z.string().nullable().meta({ description: 'Why it ended as it did, where that is not plain' }),
  expiresAt: z.iso.datetime().nullable().meta({ description: 'Deadline of the hold' }),
  prize: z
    .boolean()
    .nullable()
    .meta({ description: 'Whether this order wins; null where there is no prize' }),
});

export const boughtSchema = z.object({ success: z.literal(true), message: z.string(), order: orderSchema });

// Most are ASCII. For the others: NFKC makes one of composed and decomposed, full-width and other forms of a letter, and of
// every space. What no reader sees is refused: unassigned, control and format characters, fillers, the blank of Braille.
function isName(text: string): boolean {
  if (/^[\x21-\x7e]+$/.test(text)) return true;
  if (!text.isWellFormed() || text.normalize('NFKC') !== text) return false;
  return !/^ | $| {2}|[^\S ]|[\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
