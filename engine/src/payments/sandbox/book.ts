import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { OperatingError } from '../../platform/errors.js';
import type { Charge, ChargeState } from '../provider.js';
import { chargeSchema, chargeStateSchema, refundedSchema } from './wire.js';

const entrySchema = z.object({
  charge: chargeSchema,
  state: chargeStateSchema,
  refund: refundedSchema.optional(),
});

/** A charge with its state. */
type Entry = z.output<typeof entrySchema>;

export type Book = {
  find(paymentId: string): Entry | undefined;
  /** The entry is in the file when this returns, so it outlives the process. */
  write(charge: Charge, state: ChargeState, refund?: { reference: string }): Entry;
  totals(): Totals;
  close(): void;
};

type Totals = {
  charges: number;
  captured: number;
  capturedMinor: number;
  refunded: number;
  refundedMinor: number;
};

/**
 * The sandbox's memory: one JSON object per line, append-only; the last line of a payment counts. A line is written with
 * one synchronous write, which takes about 10 µs and survives kill -9 of this process, but not a crash of the machine.
 *
 * @throws OperatingError SANDBOX_FILE_DAMAGED for any unreadable line except a torn last one, which was never answered.
 */
export function openBook(path: string): Book {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, 'a+', 0o600);
  const entries = new Map<string, Entry>();
  const totals: Totals = { charges: 0, captured: 0, capturedMinor: 0, refunded: 0, refundedMinor: 0 };

  function remember(entry: Entry): Entry {
    const before = entries.get(entry.charge.paymentId);
    if (before) count(totals, before, -1);
    count(totals, entry, 1);
    entries.set(entry.charge.paymentId, entry);
    return entry;
  }

  const { lines, bytes } = readLines(path);
  for (const [position, line] of lines.entries()) remember(readLine(path, position, line));
  // The next line must not be appended to a torn one.
  ftruncateSync(file, bytes);
  let sizeBytes = bytes;

  return {
    find: paymentId => entries.get(paymentId),
    write(charge, state, refund) {
      const entry: Entry = refund ? { charge, state, refund } : { charge, state };
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      try {
        appendFileSync(file, line);
      } catch (error) {
        // On a full disk, half a line may have been written.
        ftruncateSync(file, sizeBytes);
        throw error;
      }
      sizeBytes += line.length;
      return remember(entry);
    },
    totals: () => ({ ...totals }),
    close: () => closeSync(file),
  };
}

const newline = 0x0a;

function readLines(path: string): { lines: string[]; bytes: number } {
  const content = readFileSync(path);
  const lines: string[] = [];
  let start = 0;
  for (let end = content.indexOf(newline); end >= 0; end = content.indexOf(newline, start)) {
    lines.push(content.toString('utf8', start, end));
    start = end + 1;
  }
  return { lines, bytes: start };
}

function readLine(path: string, position: number, line: string): Entry {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch (error) {
    throw new OperatingError(
      'SANDBOX_FILE_DAMAGED',
      `Line ${position + 1} of ${path} cannot be read`,
      'Repair the line, or move the file away to start with an empty sandbox',
      { cause: error },
    );
  }
}

function count(totals: Totals, { state, refund }: Entry, by: 1 | -1): void {
  totals.charges += by;
  if (state.status !== 'captured') return;
  totals.captured += by;
  totals.capturedMinor += by * state.amountMinor;
  if (!refund) return;
  totals.refunded += by;
  totals.refundedMinor += by * state.amountMinor;
}
