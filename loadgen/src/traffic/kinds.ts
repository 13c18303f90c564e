import { placeOf } from './mix.js';

/**
 * Who comes to a sale: most ask once, some ask again and again, some come back with their code, some send what is no
 * request.
 */
export type Kind = 'normal' | 'heavy' | 'purchases' | 'invalid';

/** A crowd of all kinds, of each hundred in a row as many as the shares say. */
export interface Crowd {
  readonly kinds: Readonly<Record<Kind, number>>;
  /** So many are the heavy ones, who come in turn. */
  readonly heavyShoppers: number;
}

export function kindOf({ kinds: { normal, heavy, purchases } }: Crowd, ordinal: number): Kind {
  const place = placeOf(ordinal);
  if (place < normal) return 'normal';
  if (place < normal + heavy) return 'heavy';
  return place < normal + heavy + purchases ? 'purchases' : 'invalid';
}

/** The shopper of visit `ordinal`: a heavy one, or one who comes only now. */
export function crowdShopper(crowd: Crowd, ordinal: number): number {
  const { kinds, heavyShoppers } = crowd;
  if (kindOf(crowd, ordinal) !== 'heavy') return heavyShoppers + ordinal;
  const visit = Math.floor(ordinal / 100) * kinds.heavy + placeOf(ordinal) - kinds.normal;
  return visit % heavyShoppers;
}
