/** Units by shopper number, in a typed array: a map of a million names takes 100 MB. */
export interface ShopperUnits {
  add(shopper: number, units: number): void;
  /** The number of shoppers with more than this, and the first of them, or -1. */
  above(limit: number): { count: number; first: number };
}

const SHOPPERS_AT_FIRST = 1 << 12;

export function createShopperUnits(): ShopperUnits {
  let unitsOf = new Uint32Array(SHOPPERS_AT_FIRST);
  return {
    add(shopper, units) {
      if (shopper >= unitsOf.length) {
        const larger = new Uint32Array(Math.max(shopper + 1, unitsOf.length * 2));
        larger.set(unitsOf);
        unitsOf = larger;
      }
      unitsOf[shopper] = (unitsOf[shopper] ?? 0) + units;
    },
    above(limit) {
      const isAbove = (units: number) => units > limit;
      return { count: unitsOf.filter(isAbove).length, first: unitsOf.findIndex(isAbove) };
    },
  };
}
