// The same table as the engine's (engine/src/platform/currencies.ts). A test compares them.
const withNone = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const withThree = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/**
 * Digits after the decimal point of a currency (ISO 4217). An amount in minor units is the amount in units times 10 to
 * this power. `Intl` differs for some currencies, for example none for the Iraqi dinar.
 */
export function fractionDigits(currency: string): number {
  if (withNone.includes(currency)) return 0;
  return withThree.includes(currency) ? 3 : 2;
}
