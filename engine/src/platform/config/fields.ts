import { z } from 'zod';

/** A shorter secret can be guessed. */
export const secretCharactersMin = 16;

/** A whole number, within bounds. */
export function integer(fallback: number, min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, message)
    .transform(Number)
    .refine(value => value >= min && value <= max, message)
    .default(fallback);
}

/** `true` or `false`; off unless specified otherwise. */
export function boolean(fallback: 'true' | 'false' = 'false') {
  return z
    .enum(['true', 'false'])
    .default(fallback)
    .transform(text => text === 'true');
}

const secretText = z
  .string()
  .min(secretCharactersMin, `expected at least ${secretCharactersMin} characters`)
  .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII without spaces');

/** Text that cannot be guessed and fits into a header. */
export function secret() {
  return secretText.optional();
}

/** Several secrets, separated by commas: during a rotation the old and the new one both work. */
export function secretList(max: number) {
  return list(secretText, max).optional();
}

/** Values separated by commas. */
export function list<Item extends z.ZodType<unknown, string>>(item: Item, max: number) {
  return z
    .string()
    .transform(text => text.split(',').map(part => part.trim()))
    .pipe(z.array(item).max(max, `expected at most ${max}`));
}

/** `http://host:port/path` or `https:`, without a password, which would be printed. */
export function httpAddress() {
  return z
    .string()
    .regex(/^https?:\/\/[^\s@/]+(\/[^\s@]*)?$/, 'expected http://host:port, or https:')
    .optional();
}
