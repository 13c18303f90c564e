/**
 * The orders that the server acknowledged to this client: a hash table of UUIDs in typed arrays. A Set of a million
 * strings takes some 100 MB and causes long garbage collection pauses in the middle of a measurement. This table takes
 * 25 bytes per slot and is never scanned.
 */
export class AcknowledgedOrders {
  size = 0;
  #slots: number;
  #ids: Uint32Array;
  /** Ordinal of the acknowledged request, plus 1; 0 marks a free slot. */
  #requests: Uint32Array;
  #seen: Uint8Array;
  readonly #words = new Uint32Array(WORDS);

  /** Allocates room for the expected orders in advance: growing mid-run would pause the load measurably. */
  constructor(expected = 0) {
    this.#slots = slotsFor(expected);
    this.#ids = new Uint32Array(this.#slots * WORDS);
    this.#requests = new Uint32Array(this.#slots);
    this.#seen = new Uint8Array(this.#slots);
  }

  /** Adds an acknowledged id. `duplicate`: the server acknowledged the same order to two requests. */
  add(orderId: string, ordinal: number): 'added' | 'duplicate' | 'not-a-uuid' {
    if (!parseUuid(orderId, this.#words)) return 'not-a-uuid';
    if (this.size >= this.#slots * LOAD_MAX) this.#grow();
    const slot = this.#find(this.#words, 0);
    if (this.#requests[slot] !== 0) return 'duplicate';
    this.#place(slot, this.#words, 0, ordinal + 1);
    this.size += 1;
    return 'added';
  }

  /** Marks an id as listed by the server. Returns the ordinal of its request, or null if it was not acknowledged. */
  see(orderId: string): number | null {
    if (!parseUuid(orderId, this.#words)) return null;
    const slot = this.#find(this.#words, 0);
    const request = this.#requests[slot] ?? 0;
    if (request === 0) return null;
    this.#seen[slot] = 1;
    return request - 1;
  }

  /** Ordinals of acknowledged requests whose order was not listed, at most `limit`, and their total number. */
  unseen(limit: number): { count: number; ordinals: number[] } {
    const ordinals: number[] = [];
    let count = 0;
    for (let slot = 0; slot < this.#slots; slot += 1) {
      const request = this.#requests[slot] ?? 0;
      if (request === 0 || this.#seen[slot] === 1) continue;
      count += 1;
      if (ordinals.length < limit) ordinals.push(request - 1);
    }
    return { count, ordinals };
  }

  /**
   * The slot that holds the id, or the free slot where it belongs. One always exists: the load factor stays below 0.6.
   */
  #find(words: Uint32Array, at: number): number {
    const mask = this.#slots - 1;
    // The hash uses all words: ids made from a clock share their first word, ids made from a hash share none.
    let hash = 0;
    for (let word = 0; word < WORDS; word += 1) {
      hash = Math.imul(hash ^ (words[at + word] ?? 0), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      if (this.#requests[slot] === 0 || this.#holds(slot, words, at)) return slot;
    }
  }

  #holds(slot: number, words: Uint32Array, at: number): boolean {
    for (let word = 0; word < WORDS; word += 1) {
      if (this.#ids[slot * WORDS + word] !== words[at + word]) return false;
    }
    return true;
  }

  #place(slot: number, words: Uint32Array, at: number, request: number): void {
    for (let word = 0; word < WORDS; word += 1) this.#ids[slot * WORDS + word] = words[at + word] ?? 0;
    this.#requests[slot] = request;
  }

  #grow(): void {
    const ids = this.#ids;
    const requests = this.#requests;
    this.#slots *= 2;
    this.#ids = new Uint32Array(this.#slots * WORDS);
    this.#requests = new Uint32Array(this.#slots);
    this.#seen = new Uint8Array(this.#slots);
    requests.forEach((request, slot) => {
      if (request !== 0) this.#place(this.#find(ids, slot * WORDS), ids, slot * WORDS, request);
    });
  }
}

const WORDS = 4;
const LOAD_MAX = 0.6;
const UUID_LENGTH = 36;
const SLOTS_MIN = 1 << 16;
// 44 MB, enough for 1.25 million orders; only larger runs grow.
const SLOTS_RESERVED_MAX = 1 << 21;

function slotsFor(expected: number): number {
  let slots = SLOTS_MIN;
  while (slots * LOAD_MAX <= expected && slots < SLOTS_RESERVED_MAX) slots *= 2;
  return slots;
}

const HYPHEN = 0x2d;

/** Writes the 128 bits of a UUID into four words. Returns false if the text is not a UUID. */
function parseUuid(text: string, words: Uint32Array): boolean {
  if (text.length !== UUID_LENGTH) return false;
  let digits = 0;
  let word = 0;
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    const value = hexValue(code);
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (code !== HYPHEN) return false;
      continue;
    }
    if (value === -1) return false;
    word = (word << 4) | value;
    digits += 1;
    if (digits % 8 === 0) words[digits / 8 - 1] = word;
  }
  return true;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
