import { createApi, type Middleware, type Problem, type paths } from '@doorbuster/client';

/**
 * The operator's side of the API as the browser sees it. The session is in a cookie that no script can read; the token
 * beside it proves that this page is the engine's own, for browsers that do not say so themselves.
 */
export const operatorApi = createApi({ baseUrl: '', credentials: 'same-origin' });

/** What the engine has refused, or that it could not be asked: then there is no slug. */
export class Refusal extends Error {
  constructor(
    readonly slug: string | undefined,
    message: string,
    /** How long to wait before the next try, where the engine says so. */
    readonly retryAfterSeconds: number | undefined,
  ) {
    super(message);
  }

  get isSignedOut(): boolean {
    return this.slug === 'not-authenticated' || this.slug === 'forbidden';
  }
}

type Answer<Data> =
  | { data: Data; error?: never; response: Response }
  | { data?: never; error: Problem; response: Response };

/** The data of an answer. @throws Refusal */
export async function answerOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asked.catch(() => {
    throw new Refusal(undefined, 'The engine can not be reached. Please try again.', undefined);
  });
  if (error === undefined && response.ok) return data;
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  throw new Refusal(
    error?.type?.replace('/problems/', '') ?? `status-${response.status}`,
    error?.detail ?? `The engine answered ${response.status}. Please try again.`,
    Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

const signedOutListeners = new Set<() => void>();

/** Hears of it when the engine no longer knows the session. @returns what ends the listening. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => void signedOutListeners.delete(listener);
}

const session: Middleware = {
  onRequest({ request }) {
    const token = csrfToken();
    if (request.method !== 'GET' && token) request.headers.set('x-csrf-token', token);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status !== 401 || schemaPath === '/api/admin/session') return;
    for (const listener of signedOutListeners) listener();
  },
};
operatorApi.use(session);

function csrfToken(): string | undefined {
  return /(?:^|;\s*)doorbuster_operator_csrf=([^;]+)/.exec(document.cookie)?.[1];
}

/** What a GET answers. */
export type Got<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer Json } } } };
}
  ? Json
  : never;

export type ListedSale = Got<'/api/admin/sales/{id}'>;
export type Series = Got<'/api/admin/series'>['series'][number];
export type Product = Got<'/api/products'>['products'][number];
export type DeadLetter = Got<'/api/admin/dead-letters/{id}'>;
export type OperatorSession = Got<'/api/admin/sessions'>['sessions'][number];
export type OperatorAction = Got<'/api/admin/actions'>['actions'][number];
export type Stats = Got<'/api/admin/stats'>;
export type Audit = Got<'/api/admin/audit'>;
export type Fault = Got<'/api/admin/faults'>['faults'][number];
export type NewSale = NonNullable<
  paths['/api/admin/sales']['post']['requestBody']
>['content']['application/json'];
export type NewProduct = NonNullable<
  paths['/api/admin/products']['post']['requestBody']
>['content']['application/json'];
export type NewFault = NonNullable<
  paths['/api/admin/faults']['post']['requestBody']
>['content']['application/json'];
