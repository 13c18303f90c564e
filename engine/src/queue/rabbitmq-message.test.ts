import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retryInMsMax } from './order-queue.js';
import { planDelay } from './rabbitmq-message.js';

describe('a delay', () => {
  it('is composed of several queues: never too short, and only a little too long', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: retryInMsMax }), retryInMs => {
        let waitedMs = 0;
        let turns = 0;
        for (let leftMs = retryInMs; leftMs > 0; turns++) {
          const { delayMs, restMs } = planDelay(leftMs);
          waitedMs += delayMs;
          leftMs = restMs;
        }
        expect(waitedMs).toBeGreaterThanOrEqual(retryInMs);
        expect(waitedMs - retryInMs).toBeLessThan(retryInMs > 100 ? Math.min(2 * retryInMs, 20_000) : 101);
        expect(turns).toBeLessThanOrEqual(170);
      }),
    );
  });

  it('of zero needs no queue', () => {
    expect(planDelay(0)).toEqual({ delayMs: 0, restMs: 0 });
  });
});
