/** A line of the log that says error or worse. */
export type ErrorReport = {
  level: 'error' | 'fatal';
  message: string;
  /** What the line says beside it; `err` is what was thrown. */
  fields: Readonly<Record<string, unknown>>;
};

export type ErrorReports = {
  /** Never throws, and waits for nothing. */
  report(report: ErrorReport): void;
  /** Sends what waits, for two seconds at most. */
  close(): Promise<void>;
};
