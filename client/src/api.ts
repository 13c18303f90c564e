import createClient, { type Client, type ClientOptions } from 'openapi-fetch';
import type { paths } from './openapi.js';

// The client reads listings and streams as JSON, although the API also offers them as CSV and as events.
type Media = 'application/json' | 'application/problem+json';

/** Every call of the API, typed by its path: `api.GET('/api/stock/{productId}', ...)`. */
export type Api = Client<paths, Media>;

export type ApiOptions = Pick<ClientOptions, 'baseUrl' | 'credentials' | 'headers' | 'fetch'>;

/** @param options `baseUrl` is empty in a page of the shop's own origin, which also sets `credentials`. */
export function createApi(options: ApiOptions): Api {
  return createClient<paths, Media>(options);
}

type Body<
  Path extends keyof paths,
  Method extends 'get' | 'post',
  Status extends number,
> = paths[Path] extends {
  [M in Method]: { responses: { [S in Status]: { content: { 'application/json': infer Json } } } };
}
  ? Json
  : never;

type Request<Path extends keyof paths> = paths[Path] extends {
  post: { requestBody: { content: { 'application/json': infer Json } } };
}
  ? Json
  : never;

export type Drop = Body<'/api/products/{id}', 'get', 200>;
export type Sale = NonNullable<Drop['sale']>;
export type Stock = Body<'/api/stock/{productId}', 'get', 200>;
export type Order = Body<'/api/orders/{id}', 'get', 200>;
export type Attempt = Body<'/api/attempts', 'get', 200>['attempts'][number];
export type Bought = Body<'/api/purchase', 'post', 200>;
export type Held = Body<'/api/checkout', 'post', 201>;
export type Accepted = Body<'/api/orders', 'post', 202>;

export type Purchase = Request<'/api/purchase'>;
export type Checkout = Request<'/api/checkout'>;
export type QueuedOrder = Request<'/api/orders'>;

const ends: Record<Order['status'], boolean> = {
  QUEUED: false,
  RESERVED: false,
  CONFIRMED: true,
  REJECTED: true,
  EXPIRED: true,
  CANCELLED: true,
  FAILED: true,
  REFUNDED: true,
};

/** Whether the order is still open: it waits in the queue or for its payment. */
export function isOpen({ status }: Pick<Order, 'status'>): boolean {
  return !ends[status];
}
