/** The result of redeeming a code. `unclear`: it was sent but not answered. */
export type Redemption = 'not-sent' | 'unclear' | 'confirmed' | 'expired';

interface Hold {
  readonly orderId: string;
  readonly code: string;
  readonly heldAtMs: number;
  redemption: Redemption;
}

/** The granted checkouts by the ordinal of their visit, and those whose code is due next. */
export interface Holds {
  add(ordinal: number, hold: { orderId: string; code: string }, isAbandoned: boolean): void;
  /** The visit whose code is due; -1 if none is. */
  takeDue(): number;
  readonly isDueEmpty: boolean;
  /** Returns the code of a visit and marks it as presented. */
  present(ordinal: number): string;
  orderIdOf(ordinal: number): string | null;
  settle(ordinal: number, redemption: Redemption): void;
  redemptionOf(ordinal: number): Redemption;
  /** Counts the unconfirmed holds that were created at this moment or later. */
  countUnredeemedSince(atMs: number): number;
}

export function createHolds(): Holds {
  const holds = new Map<number, Hold>();
  const due: number[] = [];
  const get = (ordinal: number): Hold => {
    const hold = holds.get(ordinal);
    if (hold === undefined) throw new Error(`Visit ${ordinal} has no hold.`);
    return hold;
  };
  return {
    add(ordinal, { orderId, code }, isAbandoned) {
      holds.set(ordinal, { orderId, code, heldAtMs: performance.now(), redemption: 'not-sent' });
      if (!isAbandoned) due.push(ordinal);
    },
    // Last in, first out: nearly always there is only one, and its connection has just become free.
    takeDue: () => due.pop() ?? -1,
    get isDueEmpty() {
      return due.length === 0;
    },
    present(ordinal) {
      const hold = get(ordinal);
      hold.redemption = 'unclear';
      return hold.code;
    },
    orderIdOf: ordinal => holds.get(ordinal)?.orderId ?? null,
    settle(ordinal, redemption) {
      get(ordinal).redemption = redemption;
    },
    redemptionOf: ordinal => holds.get(ordinal)?.redemption ?? 'not-sent',
    countUnredeemedSince(atMs) {
      let count = 0;
      for (const { redemption, heldAtMs } of holds.values()) {
        if (redemption !== 'confirmed' && heldAtMs >= atMs) count += 1;
      }
      return count;
    },
  };
}
