import { describe, expect, it } from 'vitest';
import type { Sale } from '../../catalog/sales.js';
import type { StockViews } from '../stock-views.js';
import { createMemoryGate } from './memory-gate.js';

const nowMs = Date.UTC(2026, 0, 1, 12);

describe('the gate in memory', () => {
  it('refuses requests that are certain to fail, in the order of precedence', () => {
    const gate = gateOf({ available: 2 });
    expect(gate.check(saleAt(-60_000, 60_000), 'shopper', 11, false)).toBe('limit-reached');
    expect(gate.check(saleAt(-60_000, 60_000), 'shopper', 3, false)).toBe('sold-out');
    expect(gate.check(saleAt(-60_000, 60_000), 'shopper', 2, false)).toBeUndefined();
    expect(gate.check(saleAt(60_000, 120_000), 'shopper', 11, false)).toBe('sale-not-open');
    expect(gate.check({ ...saleAt(-60_000, 60_000), status: 'paused' }, 'shopper', 11, false)).toBe(
      'sale-not-open',
    );
  });

  it('leaves refusals ranked below "not open" to the ledger while it is unsure whether the sale is open', () => {
    const inDoubt: [Sale, number][] = [
      [saleAt(60_000, 120_000), Number.POSITIVE_INFINITY],
      [saleAt(100, 60_000), 0],
      [saleAt(-100, 60_000), 0],
      [saleAt(-60_000, 100), 0],
      [saleAt(-400, 60_000), 200],
    ];
    for (const [sale, errorMs] of inDoubt) {
      expect(gateOf({ available: 0, errorMs }).check(sale, 'shopper', 11, false)).toBeUndefined();
    }
  });

  it('allows a longer margin at the end of a sale when the request may be a retry', () => {
    const gate = gateOf({ available: 0 });
    expect(gate.check(saleAt(-60_000, -10_000), 'shopper', 1, true)).toBeUndefined();
    expect(gate.check(saleAt(-60_000, -10_000), 'shopper', 1, false)).toBe('sale-not-open');
    expect(gate.check(saleAt(-60_000, -20_000), 'shopper', 1, true)).toBe('sale-not-open');
  });
});

function gateOf({ available, errorMs = 0 }: { available: number; errorMs?: number }) {
  const stock = { saleId: 1, allocation: 10, available, reserved: 0, sold: 10 - available, version: 1 };
  const views: StockViews = {
    peek: () => stock,
    read: async () => stock,
    apply: () => {},
    countDisagreements: async () => 0,
    refresh: async () => {},
  };
  return createMemoryGate(views, { nowMs: () => nowMs, errorMs: () => errorMs, calibrate: async () => {} });
}

/** A sale whose window starts and ends this many milliseconds from now. */
function saleAt(startsInMs: number, endsInMs: number): Sale {
  return {
    saleId: 1,
    productId: 1,
    startsAt: new Date(nowMs + startsInMs),
    endsAt: new Date(nowMs + endsInMs),
    perUserLimit: 10,
    perPaymentLimit: null,
    perAddressLimit: null,
    priceMinor: 100,
    currency: 'EUR',
    holdTtlSeconds: 900,
    payment: 'none',
    prizeOdds: null,
    challenge: null,
    requiresToken: false,
    status: 'active',
    seriesId: null,
    recurrence: null,
  };
}
