import type { Target } from './target.js';

export interface RequestOptions {
  readonly target: Target;
  readonly path: string;
  readonly apiKey: string | null;
  /** Header lines of one shopper each, used in turn; without them the API key asks for a new shopper each time. */
  readonly callers?: readonly string[] | null;
  /** Send an Idempotency-Key, unique for each request. */
  readonly keys: boolean;
  readonly productId: number;
  readonly quantity: number;
  /** Random name of this run, so that no two runs share shoppers or keys. */
  readonly runId: string;
  shopperOf(ordinal: number): number;
}

export interface RequestWriter {
  /** The whole request, head and body, ready to send. ASCII only. */
  write(ordinal: number): string;
  shopperId(ordinal: number): string;
  idempotencyKey(ordinal: number): string | null;
}

// Numbers have a fixed width, so Content-Length is the same for all requests and the head is built once.
const NUMBER_WIDTH = 9;

/** Builds the requests of one run. Everything that does not depend on the ordinal is joined in advance. */
export function requestWriter(options: RequestOptions): RequestWriter {
  const { runId } = options;
  const shopperId = (ordinal: number) => `load-${runId}-${fixed(options.shopperOf(ordinal))}`;
  const idempotencyKey = (ordinal: number) => (options.keys ? `${runId}-${fixed(ordinal)}` : null);
  const bodyStart = `{"productId":${options.productId},"quantity":${options.quantity},"userId":"`;
  const bodyEnd = '"}';
  const head = requestHead(options, bodyStart.length + shopperId(0).length + bodyEnd.length);
  if (options.callers) return { write: callerWriter(options, options.callers), shopperId, idempotencyKey };
  const write = (ordinal: number) =>
    options.keys
      ? `${head}Idempotency-Key: ${runId}-${fixed(ordinal)}\r\n\r\n${bodyStart}${shopperId(ordinal)}${bodyEnd}`
      : `${head}\r\n${bodyStart}${shopperId(ordinal)}${bodyEnd}`;
  return { write, shopperId, idempotencyKey };
}

/** The headers identify the shopper, so the body names none. */
function callerWriter(options: RequestOptions, callers: readonly string[]): (ordinal: number) => string {
  const { productId, quantity, runId } = options;
  const body = JSON.stringify({ productId, quantity });
  const head = requestHead({ ...options, apiKey: null }, body.length);
  return ordinal => {
    const key = options.keys ? `Idempotency-Key: ${runId}-${fixed(ordinal)}\r\n` : '';
    return `${head}${callers[ordinal % callers.length]}${key}\r\n${body}`;
  };
}

/** The request that redeems the code of a checkout, for the shopper of visit `ordinal`. */
export function redeemWriter(
  options: RequestOptions,
  { shopperId }: RequestWriter,
): (ordinal: number, code: string) => string {
  const keyOf = (ordinal: number) =>
    options.keys ? `Idempotency-Key: ${options.runId}-redeem-${fixed(ordinal)}\r\n` : '';
  return (ordinal, code) => {
    const body = JSON.stringify({ code, userId: shopperId(ordinal) });
    return `${requestHead(options, body.length)}${keyOf(ordinal)}\r\n${body}`;
  };
}

/** Requests to buy that no server should accept. They break a different rule in turn. */
export function invalidWriter(options: RequestOptions): (ordinal: number) => string {
  const { productId, runId } = options;
  const userId = `load-${runId}-invalid`;
  const requests = [
    { productId, quantity: 0, userId },
    { productId, quantity: -1, userId },
    { productId, quantity: '1', userId },
    { quantity: 1, userId },
  ].map(fields => {
    const body = JSON.stringify(fields);
    return `${requestHead(options, body.length)}\r\n${body}`;
  });
  return ordinal => requests[ordinal % requests.length] ?? '';
}

/** A request without a body has no Content-Type. */
export function requestHead(
  options: Pick<RequestOptions, 'path' | 'target' | 'apiKey'>,
  contentLength: number,
): string {
  const lines = [
    `POST ${options.path} HTTP/1.1`,
    `Host: ${new URL(options.target.origin).host}`,
    ...(contentLength > 0 ? ['Content-Type: application/json'] : []),
    `Content-Length: ${contentLength}`,
  ];
  if (options.apiKey !== null) lines.push(`Authorization: Bearer ${options.apiKey}`);
  return `${lines.join('\r\n')}\r\n`;
}

function fixed(value: number): string {
  return String(value).padStart(NUMBER_WIDTH, '0');
}
