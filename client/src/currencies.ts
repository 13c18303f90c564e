// The engine's table, which a test holds this one to (engine/src/ledger/currencies.ts).
const withNone = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const withThree = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/**
 * Digits after the decimal point of a currency (ISO 4217): an amount in minor units is 10 to this power times the amount in
 * units. `Intl` knows other numbers for some, such as none for the Iraqi dinar.
 */
export function fractionDigits(currency: string): number {
  if (withNone.includes(currency)) return 0;
  return withThree.includes(currency) ? 3 : 2;
}
