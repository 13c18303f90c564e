import { placeOf } from './mix.js';

/**
 * The kinds of visitors of a sale: most ask once, some ask again and again, some come back with their code, and some
 * send invalid requests.
 */
export type Kind = 'normal' | 'heavy' | 'purchases' | 'invalid';

/** A crowd of all kinds. Each hundred visits in a row have exactly the given shares. */
export interface Crowd {
  readonly kinds: Readonly<Record<Kind, number>>;
  /** The number of heavy shoppers, who come in turn. */
  readonly heavyShoppers: number;
}

export function kindOf({ kinds: { normal, heavy, purchases } }: Crowd, ordinal: number): Kind {
  const place = placeOf(ordinal);
  if (place < normal) return 'normal';
  if (place < normal + heavy) return 'heavy';
  return place < normal + heavy + purchases ? 'purchases' : 'invalid';
}

/** The shopper of visit `ordinal`: one of the heavy ones, or a new one. */
export function crowdShopper(crowd: Crowd, ordinal: number): number {
  const { kinds, heavyShoppers } = crowd;
  if (kindOf(crowd, ordinal) !== 'heavy') return heavyShoppers + ordinal;
  const visit = Math.floor(ordinal / 100) * kinds.heavy + placeOf(ordinal) - kinds.normal;
  return visit % heavyShoppers;
}
