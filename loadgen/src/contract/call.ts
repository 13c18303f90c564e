import { LoadFailure } from '../failure.js';
import { problemSlug } from './answer.js';
import { Fields } from './fields.js';

/** One JSON call outside the load. It uses the ordinary client: such calls are rare, so their cost does not matter. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string | undefined;
  readonly body?: object;
  readonly timeoutMs?: number;
}

/** A call that was refused or not answered. `retryable` means that the server may answer later, as after a crash. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly status: number | null;

  constructor(message: string, status: number | null, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }

  get retryable(): boolean {
    return this.status === null || this.status === 503 || this.status === 429;
  }
}

// Auditing or listing a million orders takes seconds. A call that takes a minute hangs.
const CALL_TIMEOUT_MS = 60_000;
const RETRY_INTERVAL_MS = 250;

/** @throws CallFailure when there is no answer or it is not 2xx; ContractBreach when it is not a JSON object. */
export async function call(origin: string, request: Call): Promise<Fields> {
  const where = `${request.method} ${request.path}`;
  const response = await send(origin, request, where);
  const text = await response.text();
  if (!response.ok) {
    throw new CallFailure(
      `${where} answered ${response.status} ${problemSlug(text)}: ${text.slice(0, 300)}`,
      response.status,
    );
  }
  return new Fields(parseJson(text), where);
}

/** Retries a call while the server does not answer or is overloaded, for `patienceMs` at most. */
export async function callPatiently(origin: string, request: Call, patienceMs: number): Promise<Fields> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await call(origin, request);
    } catch (error) {
      const again = error instanceof CallFailure && error.retryable && performance.now() < deadlineMs;
      if (!again) throw error;
      await new Promise(resolve => setTimeout(resolve, RETRY_INTERVAL_MS));
    }
  }
}

/** Adds a remedy to a call that failed during preparation. */
export function setupFailure(error: unknown, remedy: string): LoadFailure {
  const message = error instanceof Error ? error.message : String(error);
  return new LoadFailure('setup', `${message}\n${remedy}`, { cause: error });
}

async function send(origin: string, request: Call, where: string): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' });
  if (request.token !== undefined) headers.set('authorization', `Bearer ${request.token}`);
  if (request.body !== undefined) headers.set('content-type', 'application/json');
  try {
    return await fetch(origin + request.path, {
      method: request.method,
      headers,
      signal: AbortSignal.timeout(request.timeoutMs ?? CALL_TIMEOUT_MS),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new CallFailure(`${where} at ${origin} was not answered: ${cause}`, null, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
