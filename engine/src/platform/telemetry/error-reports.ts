/** A log line of level error or fatal. */
export type ErrorReport = {
  level: 'error' | 'fatal';
  message: string;
  /** The line's other fields; `err` is the thrown error. */
  fields: Readonly<Record<string, unknown>>;
};

export type ErrorReports = {
  /** Never throws, never waits. */
  report(report: ErrorReport): void;
  /** Sends what is pending, for at most two seconds. */
  close(): Promise<void>;
};
