export type { Middleware } from 'openapi-fetch';
export {
  type Api,
  type ApiOptions,
  type Attempt,
  createApi,
  type Drop,
  isOpen,
  type Order,
  type Sale,
  type Stock,
} from './api.js';
export { type Buyer, createBuyer, newKey } from './buyer.js';
export { fractionDigits } from './currencies.js';
export type { paths } from './openapi.js';
export { isFinal, type Outcome, type Problem, type ProblemSlug } from './outcome.js';
export type { Patience, Progress } from './persist.js';
export type { WaitOutcome } from './wait-for-order.js';
