/** Why a run could not take place. Both end the process with exit code 2. A failed verdict is not such a failure. */
export type FailureCode = 'usage' | 'setup';

export class LoadFailure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadFailure';
    this.code = code;
  }
}
