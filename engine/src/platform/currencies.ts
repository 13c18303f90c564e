// ISO 4217, list one, as of 2026: money that people pay with. It omits funds, metals, bond units, the codes for tests and
// for no currency, and withdrawn currencies (HRK 2023, CUC 2021, ANG 2025, BGN 2026).
const codes = `
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK
JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
ZWG`
  .trim()
  .split(/\s+/);

// Decimals; all others have two.
const withNone = 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' ');
const withThree = 'BHD IQD JOD KWD LYD OMR TND'.split(' ');

/** The currencies in which products can be sold. */
export const currencies: ReadonlySet<string> = new Set(codes);

/** Digits after the decimal point: an amount in minor units is 10 to this power times the amount in major units. */
export function fractionDigits(currency: string): number {
  if (withNone.includes(currency)) return 0;
  return withThree.includes(currency) ? 3 : 2;
}
