const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A whole number with thousands separators. */
export function integer(value: number): string {
  return INTEGER.format(value);
}

/** Milliseconds, with as many digits as the histogram resolves. */
export function milliseconds(valueMs: number): string {
  if (valueMs >= 1000) return integer(valueMs);
  return valueMs.toFixed(valueMs >= 100 ? 0 : valueMs >= 10 ? 1 : 2);
}

/** A count with its noun: `1 order`, `1,200 orders`. */
export function counted(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? '' : 's'}`;
}
