import { codeOf } from '../errors.js';

export type EmbeddedPostgresErrorCode =
  | 'BINARIES_MISSING'
  | 'BINARIES_UNUSABLE'
  | 'CLUSTER_BROKEN'
  | 'CLUSTER_MISSING'
  | 'CLUSTER_OF_ANOTHER_USER'
  | 'DATA_DIR_IN_USE'
  | 'DATA_DIR_UNREACHABLE'
  | 'DATA_DIR_UNUSABLE'
  | 'INITDB_FAILED'
  | 'NO_UNPRIVILEGED_USER'
  | 'ORPHAN_UNSTOPPABLE'
  | 'PASSWORD_REJECTED'
  | 'START_FAILED'
  | 'START_TIMEOUT'
  | 'VERSION_MISMATCH';

/** Why the embedded server is not available. `message` already ends with `remedy`, so printing it is enough. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
  readonly code: EmbeddedPostgresErrorCode;
  /** True if the same call may succeed later without any change. */
  readonly retryable: boolean;
  /** What the operator can do. */
  readonly remedy: string;

  constructor(
    code: EmbeddedPostgresErrorCode,
    problem: string,
    { remedy, retryable = false, cause }: { remedy: string; retryable?: boolean; cause?: unknown },
  ) {
    super(`${problem} ${remedy}`, { cause });
    this.code = code;
    this.retryable = retryable;
    this.remedy = remedy;
  }
}

/** For calls where a missing file is an expected answer. Any other error is rethrown. */
export async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
