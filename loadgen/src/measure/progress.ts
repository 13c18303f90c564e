import { integer, milliseconds } from '../text.js';

export interface ProgressState {
  readonly elapsedMs: number;
  readonly requests: number;
  readonly p99Ms: number;
  readonly outcomes: ReadonlyArray<{ readonly slug: string; readonly count: number }>;
}

export interface Progress {
  stop(): void;
}

const TTY_INTERVAL_MS = 250;
// Logs are read later, line by line. Four lines per second would flood them.
const LOG_INTERVAL_MS = 2_000;

/** Writes one line to stderr: rewritten in place on a terminal, otherwise one line every 2 s. */
export function startProgress(quiet: boolean, read: () => ProgressState): Progress {
  if (quiet) return { stop() {} };
  const stream = process.stderr;
  const isTerminal = stream.isTTY === true;
  let before = { elapsedMs: 0, requests: 0 };
  const write = () => {
    const state = read();
    const line = progressLine(state, before);
    before = state;
    stream.write(isTerminal ? `\r\x1b[K${line.slice(0, (stream.columns ?? 110) - 1)}` : `${line}\n`);
  };
  const timer = setInterval(write, isTerminal ? TTY_INTERVAL_MS : LOG_INTERVAL_MS);
  return {
    stop() {
      clearInterval(timer);
      if (isTerminal) stream.write('\r\x1b[K');
    },
  };
}

export interface Notes {
  /** Shows the text, unless the last line is too recent. */
  tell(text: string): void;
  stop(): void;
}

/** The same line for the wait after the load. */
export function startNotes(quiet: boolean): Notes {
  if (quiet) return { tell() {}, stop() {} };
  const stream = process.stderr;
  const isTerminal = stream.isTTY === true;
  const intervalMs = isTerminal ? TTY_INTERVAL_MS : LOG_INTERVAL_MS;
  const startedAtMs = performance.now();
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return {
    tell(text) {
      const nowMs = performance.now();
      if (nowMs - toldAtMs < intervalMs) return;
      toldAtMs = nowMs;
      const line = `waiting ${((nowMs - startedAtMs) / 1000).toFixed(1)} s | ${text}`;
      stream.write(isTerminal ? `\r\x1b[K${line.slice(0, (stream.columns ?? 110) - 1)}` : `${line}\n`);
    },
    stop() {
      if (isTerminal) stream.write('\r\x1b[K');
    },
  };
}

/** Shows the rate since the previous line, so that a stall is visible when it happens. */
export function progressLine(state: ProgressState, before: { elapsedMs: number; requests: number }): string {
  const sinceS = (state.elapsedMs - before.elapsedMs) / 1000;
  const rate = sinceS > 0 ? (state.requests - before.requests) / sinceS : 0;
  const outcomes = state.outcomes.map(({ slug, count }) => `${slug} ${integer(count)}`).join('  ');
  return [
    `${(state.elapsedMs / 1000).toFixed(1)} s`,
    `${integer(state.requests)} requests`,
    `${integer(rate)} req/s`,
    `p99 ${milliseconds(state.p99Ms)} ms`,
    outcomes,
  ].join(' | ');
}
