import type { DatabaseClock } from '../platform/database-clock.js';
import type { PurchaseRequest } from './decide.js';

/** One attempt to buy that created no order. */
export type Attempt = Omit<PurchaseRequest, 'orderId'> & {
  saleId: number | null;
  productId: number;
  /** null if memory refused a request without a key: no id was made. */
  orderId: string | null;
  outcome: string;
};

/** Lines of COPY text, in memory that the garbage collector does not scan. */
export type Chunk = { bytes: Buffer; usedBytes: number; rowCount: number };

export type AttemptBuffer = {
  /** @returns false if the buffer is full and the attempt was not added. */
  append(attempt: Attempt): boolean;
  /** The oldest chunks, for one write. They count against the bound until they are released. */
  take(): Chunk[];
  release(rowCount: number): void;
  /** Rows that were appended and not yet released. */
  rowCount(): number;
};

const chunkBytes = 256 * 1024;
// 128 characters of a shopper id, escaped and in UTF-8, and 150 bytes of numbers.
const lineBytesMax = 1024;
// At most 4 MB, about 30,000 rows, in one COPY. Each write takes several turns of the event loop, which under load last
// tens of milliseconds: with 2,000 rows per write, half of one million refusals were not written in time.
const chunksPerTakeMax = 16;

export function createAttemptBuffer(rowsMax: number, clock: DatabaseClock): AttemptBuffer {
  const sealed: Chunk[] = [];
  const stamp = createStamp(clock);
  let open = createChunk();
  let heldCount = 0;

  function seal(): void {
    sealed.push(open);
    open = createChunk();
  }

  return {
    append(attempt) {
      if (heldCount >= rowsMax) return false;
      if (open.usedBytes + lineBytesMax > chunkBytes) seal();
      open.usedBytes += open.bytes.write(copyLine(attempt, stamp()), open.usedBytes);
      open.rowCount += 1;
      heldCount += 1;
      return true;
    },
    take() {
      if (sealed.length < chunksPerTakeMax && open.rowCount > 0) seal();
      return sealed.splice(0, chunksPerTakeMax);
    },
    release(rowCount) {
      heldCount -= rowCount;
    },
    rowCount: () => heldCount,
  };
}

function createChunk(): Chunk {
  return { bytes: Buffer.allocUnsafeSlow(chunkBytes), usedBytes: 0, rowCount: 0 };
}

function copyLine(attempt: Attempt, answeredAt: string): string {
  const { saleId, productId, shopperId, orderId, quantity, outcome, receivedAtMs } = attempt;
  const durationUs = Math.round((performance.now() - receivedAtMs) * 1000);
  return `${saleId ?? '\\N'}\t${productId}\t${escaped(shopperId)}\t${orderId ?? '\\N'}\t${quantity}\t${outcome}\t${answeredAt}\t${durationUs}\n`;
}

// Formatting a date costs more than the rest of the line, and thousands of attempts share a millisecond.
function createStamp(clock: DatabaseClock): () => string {
  let lastMs = 0;
  let text = '';
  return () => {
    const nowMs = Math.floor(clock.nowMs());
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      text = new Date(nowMs).toISOString();
    }
    return text;
  };
}

const escapes: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

function escaped(text: string): string {
  return /[\\\t\n\r]/.test(text)
    ? text.replace(/[\\\t\n\r]/g, character => escapes[character] ?? character)
    : text;
}
