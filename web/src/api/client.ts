import createClient from 'openapi-fetch';
import type { paths } from './openapi';

/** The shop's API as the browser sees it: the same origin, the shopper in a cookie that no script can read. */
export const api = createClient<paths>({ baseUrl: '', credentials: 'same-origin' });

/** What a call answers with a status. */
export type Body<
  Path extends keyof paths,
  Method extends 'get' | 'post',
  Status extends number,
> = paths[Path] extends {
  [M in Method]: { responses: { [S in Status]: { content: { 'application/json': infer Json } } } };
}
  ? Json
  : never;

export type Drop = Body<'/api/products/{id}', 'get', 200>;
export type Sale = NonNullable<Drop['sale']>;
export type Stock = Body<'/api/stock/{productId}', 'get', 200>;
export type Order = Body<'/api/orders/{id}', 'get', 200>;
export type Attempt = Body<'/api/attempts', 'get', 200>['attempts'][number];
