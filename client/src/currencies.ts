// The engine's table, which a test holds this one to (engine/src/ledger/currencies.ts).
const digitsByCode: Partial<Record<string, number>> = {
  ...{
    BIF: 0,
    CLP: 0,
    DJF: 0,
    GNF: 0,
    ISK: 0,
    JPY: 0,
    KMF: 0,
    KRW: 0,
    PYG: 0,
    RWF: 0,
    UGX: 0,
    VND: 0,
    VUV: 0,
  },
  ...{ XAF: 0, XOF: 0, XPF: 0 },
  ...{ BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 },
};

/**
 * Digits after the decimal point of a currency (ISO 4217): an amount in minor units is 10 to this power times the amount in
 * units. `Intl` knows other numbers for some, such as none for the Iraqi dinar.
 */
export function fractionDigits(currency: string): number {
  return digitsByCode[currency] ?? 2;
}
