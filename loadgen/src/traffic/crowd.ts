import { answerReader } from '../contract/answer.js';
import { ROAD_CONTRACTS } from '../contract/road.js';
import type { ListedOrder } from '../contract/shop.js';
import { invalidWriter, requestWriter } from '../http/request.js';
import { isUnknown } from '../measure/outcomes.js';
import { createRecorder } from '../measure/recorder.js';
import { createHolds, type Redemption } from './holds.js';
import { type Crowd, type Kind, kindOf } from './kinds.js';
import { createRedemptions, REDEEMS_FROM } from './redemptions.js';
import { emptyFigures, type OrderTraffic, type RoadFigures } from './traffic.js';
import type { TrafficOptions } from './traffic-options.js';

/** A kind of visit, or the redemption that follows a visit of kind `purchases`. */
type Visit = Kind | 'redeem';

/** Visits of all kinds at the checkout. Holds outlast the run, so no unit is returned while others are refused. */
export function crowd(visitors: Crowd, options: TrafficOptions): OrderTraffic {
  const { request, acknowledged } = options;
  const visitOf = (ordinal: number): Visit =>
    ordinal >= REDEEMS_FROM ? 'redeem' : kindOf(visitors, ordinal);
  const holds = createHolds();
  const figures = createFigures();
  const path = ROAD_CONTRACTS.checkout.path;
  const checkouts = requestWriter({ ...request, path });
  const writeInvalid = invalidWriter({ ...request, path });
  const redemptions = createRedemptions(options, holds, checkouts);
  const readCheckout = answerReader('checkout', request);
  const recorder = createRecorder({
    read(status, body, ordinal) {
      const visit = visitOf(ordinal);
      if (visit === 'redeem') return redemptions.read(status, body, ordinal);
      const { slug, orderId, code } = readCheckout(status, body);
      if (orderId !== null && code !== null && visit === 'purchases') {
        holds.add(ordinal, { orderId, code }, false);
      }
      return { slug, orderId };
    },
    acknowledged,
    isOpenLoop: options.isOpenLoop,
    onAcknowledged() {},
    onCounted(ordinal, status, slug, serviceMs) {
      const { outcomes, latency } = figures[visitOf(ordinal)];
      outcomes.add(status, slug);
      latency.record(serviceMs);
    },
  });
  return {
    recorder,
    write(ordinal) {
      const visit = visitOf(ordinal);
      if (visit === 'redeem') return redemptions.write(ordinal);
      return visit === 'invalid' ? writeInvalid(ordinal) : checkouts.write(ordinal);
    },
    shopperId: checkouts.shopperId,
    followUps: redemptions.followUps,
    roads: Object.values(figures),
    ids: null,
    roadOf: visitOf,
    isLegalEnd: (ordinal, order) => isLegalEnd(visitOf(ordinal), holds.redemptionOf(ordinal), order),
    get unitsPromised() {
      return acknowledged.size * request.quantity;
    },
    unitsBackLate: 0,
    // A redemption without an answer creates no order beyond the one acknowledged by its checkout.
    get unknown() {
      return recorder.outcomes.count(isUnknown) - figures.redeem.outcomes.count(isUnknown);
    },
  };
}

function createFigures(): Readonly<Record<Visit, RoadFigures>> {
  return {
    normal: emptyFigures('normal'),
    heavy: emptyFigures('heavy'),
    purchases: emptyFigures('purchases'),
    redeem: emptyFigures('redeem'),
    invalid: emptyFigures('invalid'),
  };
}

/** Whether an order granted to a visit may have this status while its hold has not lapsed. */
function isLegalEnd(visit: Visit, redemption: Redemption, { status }: ListedOrder): boolean {
  if (visit === 'normal' || visit === 'heavy') return status === 'RESERVED';
  if (visit !== 'purchases') return false;
  if (redemption === 'confirmed') return status === 'CONFIRMED';
  return status === 'RESERVED' || (redemption === 'unclear' && status === 'CONFIRMED');
}
