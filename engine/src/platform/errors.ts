/** An operating failure: what went wrong, whether a retry can help, and what the operator should do. */
export class OperatingError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
    options: { cause?: unknown; retryable?: boolean } = {},
  ) {
    super(`${message}. ${remedy}.`, { cause: options.cause });
    this.retryable = options.retryable ?? false;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node or PostgreSQL error, such as ENOENT or 57P03. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
