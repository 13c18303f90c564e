/** A road is a way to buy: at once, by a checkout and its code, or through the queue. */
export type Road = 'direct' | 'checkout' | 'redeem' | 'queued';

/** A road that can be a shopper's first request. Redeeming a code always follows a checkout. */
export type Entrance = Exclude<Road, 'redeem'>;

export const ENTRANCES = ['direct', 'checkout', 'queued'] as const satisfies readonly Entrance[];
export const ROADS: readonly Road[] = ['direct', 'checkout', 'redeem', 'queued'];

interface RoadContract {
  readonly path: string;
  /** The status of a grant, and its name in the report. */
  readonly status: number;
  readonly slug: string;
}

export const ROAD_CONTRACTS: Readonly<Record<Road, RoadContract>> = {
  direct: { path: '/api/purchase', status: 200, slug: 'confirmed' },
  checkout: { path: '/api/checkout', status: 201, slug: 'reserved' },
  redeem: { path: '/api/purchase', status: 200, slug: 'confirmed' },
  queued: { path: '/api/orders', status: 202, slug: 'queued' },
};
