/**
 * The smallest HTTP/1.1 response parser that can judge a server. It reads status, framing (Content-Length, chunked,
 * until close) and body, and says whether the connection can be reused. It reads in place: a response that arrives in
 * one piece, as nearly all do, is not copied except for the text of its body. A general parser such as undici's costs
 * several times more CPU, and the generator shares its cores with the server it measures.
 */
export type ParseResult = 'response' | 'more' | 'malformed';

// Heads and bodies of purchase answers are below 1 KB. A larger answer is an error of the server.
const HEAD_BYTES_MAX = 16_384;
const BODY_BYTES_MAX = 1_048_576;
const EMPTY = Buffer.alloc(0);

export class ResponseParser {
  status = 0;
  body = '';
  keepAlive = true;

  #bytes: Buffer = EMPTY;
  #offset = 0;
  #contentLength = -1;
  #chunked = false;

  /**
   * Passes received bytes to the parser. It borrows them until the next `take` that returns `more`, which copies the
   * rest.
   */
  feed(chunk: Buffer): void {
    const rest = this.#bytes.length - this.#offset;
    this.#bytes = rest === 0 ? chunk : Buffer.concat([this.#bytes.subarray(this.#offset), chunk]);
    this.#offset = 0;
  }

  /** Parses the next whole response from the bytes fed. Its parts are in `status`, `body` and `keepAlive`. */
  take(): ParseResult {
    for (;;) {
      const result = this.#takeOne(false);
      if (result !== 'response') return result === 'more' ? this.#keepRest() : result;
      // The final answer follows interim ones (100, 102, 103).
      if (this.status >= 200) return 'response';
    }
  }

  /** Called when the peer closes. Completes a response whose body ends with the connection. */
  takeAtEnd(): ParseResult {
    return this.#takeOne(true);
  }

  reset(): void {
    this.#bytes = EMPTY;
    this.#offset = 0;
  }

  /** True while bytes are left that belong to no response taken so far. */
  get hasRest(): boolean {
    return this.#offset < this.#bytes.length;
  }

  #keepRest(): ParseResult {
    this.#bytes = this.hasRest ? Buffer.from(this.#bytes.subarray(this.#offset)) : EMPTY;
    this.#offset = 0;
    return 'more';
  }

  #takeOne(atEnd: boolean): ParseResult {
    const bodyStart = this.#parseHead();
    if (bodyStart === -1) return this.#bytes.length - this.#offset > HEAD_BYTES_MAX ? 'malformed' : 'more';
    if (bodyStart === -2) return 'malformed';
    if (this.status < 200 || this.status === 204 || this.status === 304)
      return this.#finish(bodyStart, bodyStart);
    if (this.#chunked) return this.#takeChunked(bodyStart);
    if (this.#contentLength >= 0) return this.#takeCounted(bodyStart);
    this.keepAlive = false;
    if (this.#bytes.length - bodyStart > BODY_BYTES_MAX) return 'malformed';
    return atEnd ? this.#finish(bodyStart, this.#bytes.length) : 'more';
  }

  #takeCounted(bodyStart: number): ParseResult {
    if (this.#contentLength > BODY_BYTES_MAX) return 'malformed';
    const bodyEnd = bodyStart + this.#contentLength;
    return bodyEnd > this.#bytes.length ? 'more' : this.#finish(bodyStart, bodyEnd);
  }

  #finish(bodyStart: number, bodyEnd: number): ParseResult {
    this.body = this.#bytes.toString('utf8', bodyStart, bodyEnd);
    this.#offset = bodyEnd;
    return 'response';
  }

  #takeChunked(bodyStart: number): ParseResult {
    const pieces: Buffer[] = [];
    let size = 0;
    for (let at = bodyStart; ; ) {
      const lineEnd = this.#bytes.indexOf('\r\n', at, 'latin1');
      if (lineEnd === -1) return 'more';
      const chunkSize = parseChunkSize(this.#bytes.toString('latin1', at, lineEnd));
      size += chunkSize;
      if (Number.isNaN(chunkSize) || size > BODY_BYTES_MAX) return 'malformed';
      if (chunkSize === 0) return this.#takeTrailers(lineEnd + 2, Buffer.concat(pieces));
      const chunkEnd = lineEnd + 2 + chunkSize;
      if (chunkEnd + 2 > this.#bytes.length) return 'more';
      if (this.#bytes[chunkEnd] !== CR || this.#bytes[chunkEnd + 1] !== LF) return 'malformed';
      pieces.push(this.#bytes.subarray(lineEnd + 2, chunkEnd));
      at = chunkEnd + 2;
    }
  }

  #takeTrailers(trailersStart: number, body: Buffer): ParseResult {
    for (let at = trailersStart; ; ) {
      const lineEnd = this.#bytes.indexOf('\r\n', at, 'latin1');
      if (lineEnd === -1) return 'more';
      if (lineEnd === at) {
        this.body = body.toString('utf8');
        this.#offset = lineEnd + 2;
        return 'response';
      }
      at = lineEnd + 2;
    }
  }

  /** Reads status line and headers. Returns where the body starts, -1 for an incomplete head, -2 if it is not HTTP. */
  #parseHead(): number {
    const bytes = this.#bytes;
    this.#contentLength = -1;
    this.#chunked = false;
    let lineStart = this.#offset;
    for (let at = lineStart; at < bytes.length; at += 1) {
      if (bytes[at] !== LF) continue;
      const lineEnd = bytes[at - 1] === CR ? at - 1 : at;
      if (lineStart === this.#offset) {
        if (!this.#parseStatusLine(lineStart, lineEnd)) return -2;
      } else if (lineEnd === lineStart) {
        return at + 1;
      } else if (!this.#parseHeader(lineStart, lineEnd)) {
        return -2;
      }
      lineStart = at + 1;
    }
    return -1;
  }

  #parseStatusLine(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start < 12 || bytes[start] !== UPPER_H || bytes[start + 8] !== SPACE) return false;
    if (bytes.toString('latin1', start, start + 7) !== 'HTTP/1.') return false;
    this.status = Number(bytes.toString('latin1', start + 9, start + 12));
    this.keepAlive = bytes[start + 7] === DIGIT_1;
    return this.status >= 100 && this.status <= 599;
  }

  /** Only three headers matter. The position of the colon rules out the others without creating a string. */
  #parseHeader(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (bytes[start + 14] === COLON && this.#nameIs(start, 'content-length')) {
      const length = this.#value(start + 15, end);
      this.#contentLength = /^\d{1,10}$/.test(length) ? Number(length) : -1;
      return this.#contentLength >= 0;
    }
    if (bytes[start + 10] === COLON && this.#nameIs(start, 'connection')) {
      this.keepAlive = this.#value(start + 11, end).toLowerCase() !== 'close';
    } else if (bytes[start + 17] === COLON && this.#nameIs(start, 'transfer-encoding')) {
      this.#chunked = this.#value(start + 18, end)
        .toLowerCase()
        .endsWith('chunked');
    }
    return true;
  }

  #nameIs(start: number, name: string): boolean {
    return this.#bytes.toString('latin1', start, start + name.length).toLowerCase() === name;
  }

  #value(start: number, end: number): string {
    return this.#bytes.toString('latin1', start, end).trim();
  }
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DIGIT_1 = 0x31;
const COLON = 0x3a;
const UPPER_H = 0x48;

/** The size of a chunk in bytes; NaN for an invalid line. Extensions after `;` are ignored. */
function parseChunkSize(line: string): number {
  const size = line.split(';', 1)[0]?.trim() ?? '';
  return /^[0-9a-f]{1,8}$/i.test(size) ? Number.parseInt(size, 16) : Number.NaN;
}
