import { fractionDigits } from '@doorbuster/client';
import type { NewProduct } from '../../api/operator';

export const productFields = ['name', 'description', 'imageUrl', 'priceMinor', 'currency'] as const;

/** What a form says. A price is written as people write it, and sent in minor units of its currency. */
export function productOf(form: FormData): NewProduct {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const currency = text('currency').toUpperCase();
  const imageUrl = text('imageUrl');
  return {
    name: text('name'),
    description: text('description'),
    ...(imageUrl !== '' && { imageUrl }),
    priceMinor: minorOf(text('price'), currency),
    currency,
  };
}

/** @returns NaN where the text is no amount, which the engine refuses. */
function minorOf(text: string, currency: string): number {
  if (!/^\d+([.,]\d+)?$/.test(text)) return Number.NaN;
  const minor = Number(text.replace(',', '.')) * 10 ** fractionDigits(currency);
  // 19.99 * 100 is 1998.9999999999998; a tenth of a cent is more than a rounding error.
  return Math.abs(minor - Math.round(minor)) < 1e-6 ? Math.round(minor) : Number.NaN;
}

export function priceText(priceMinor: number, currency: string): string {
  const digits = fractionDigits(currency);
  return (priceMinor / 10 ** digits).toFixed(digits);
}
