import { answerReader } from '../contract/answer.js';
import { ENTRANCES, ROAD_CONTRACTS, ROADS, type Road } from '../contract/road.js';
import type { ListedOrder } from '../contract/shop.js';
import { type RequestWriter, requestWriter } from '../http/request.js';
import { isUnknown } from '../measure/outcomes.js';
import { createRecorder, type Reading } from '../measure/recorder.js';
import { createHolds, type Holds, type Redemption } from './holds.js';
import { entranceOf, isAbandoned, type Mix } from './mix.js';
import { createRedemptions, REDEEMS_FROM, type Redemptions } from './redemptions.js';
import { emptyFigures, type OrderTraffic, type RoadFigures } from './traffic.js';
import { type TrafficOptions, toLine } from './traffic-options.js';

// A job of the server ends a lapsed hold, and the gate of each process then learns of its units. A process that refused
// a request may not have known about units returned less than this time before.
const RETURN_MS_MAX = 5_000;

/** Shoppers use all the ways to buy. A shopper who is granted a checkout redeems its code at once or never. */
export function mixedRoads(mix: Mix, holdMs: number, options: TrafficOptions): OrderTraffic {
  const { request, acknowledged } = options;
  const holds = createHolds();
  const figures = createFigures();
  const writers = createWriters(options);
  const redemptions = createRedemptions(options, holds, writers.direct);
  let lastRefusedAtMs = Number.NEGATIVE_INFINITY;
  const recorder = createRecorder({
    read: createRead(mix, holds, options, redemptions),
    acknowledged,
    isOpenLoop: options.isOpenLoop,
    onAcknowledged(orderId, ordinal) {
      if (roadOf(mix, ordinal) === 'direct')
        options.journal?.append(toLine(options, writers.direct, orderId, ordinal));
    },
    onCounted(ordinal, status, slug, serviceMs) {
      const { outcomes, latency } = figures[roadOf(mix, ordinal)];
      outcomes.add(status, slug);
      latency.record(serviceMs);
      if (slug === 'sold-out') lastRefusedAtMs = Math.max(lastRefusedAtMs, performance.now() - serviceMs);
    },
  });
  const confirmed = (road: Road) => figures[road].outcomes.countOf('confirmed');
  return {
    recorder,
    write(ordinal) {
      const road = roadOf(mix, ordinal);
      return road === 'redeem' ? redemptions.write(ordinal) : writers[road].write(ordinal);
    },
    shopperId: writers.direct.shopperId,
    followUps: redemptions.followUps,
    roads: ROADS.map(road => figures[road]),
    ids: null,
    roadOf: ordinal => roadOf(mix, ordinal),
    isLegalEnd: (ordinal, order) => isLegalEnd(roadOf(mix, ordinal), holds.redemptionOf(ordinal), order),
    get unitsPromised() {
      return (confirmed('direct') + confirmed('redeem')) * request.quantity;
    },
    get unitsBackLate() {
      const unredeemed = holds.countUnredeemedSince(lastRefusedAtMs - holdMs - RETURN_MS_MAX);
      // A checkout whose answer was lost may hold units too, and the time at which its hold began is unknown.
      return (unredeemed + figures.checkout.outcomes.count(isUnknown)) * request.quantity;
    },
    // A redemption without an answer creates no order beyond the one acknowledged by its checkout.
    get unknown() {
      return ENTRANCES.reduce((sum, road) => sum + figures[road].outcomes.count(isUnknown), 0);
    },
  };
}

function roadOf(mix: Mix, ordinal: number): Road {
  return ordinal >= REDEEMS_FROM ? 'redeem' : entranceOf(mix, ordinal);
}

function createFigures(): Readonly<Record<Road, RoadFigures>> {
  return {
    direct: emptyFigures('direct'),
    checkout: emptyFigures('checkout'),
    redeem: emptyFigures('redeem'),
    queued: emptyFigures('queued'),
  };
}

function createWriters({ request }: TrafficOptions) {
  const writerOf = (road: Road): RequestWriter =>
    requestWriter({ ...request, path: ROAD_CONTRACTS[road].path });
  return { direct: writerOf('direct'), checkout: writerOf('checkout'), queued: writerOf('queued') };
}

/** Reads an answer according to its way to buy, and keeps granted checkouts. */
function createRead(
  mix: Mix,
  holds: Holds,
  { request }: TrafficOptions,
  redemptions: Redemptions,
): (status: number, body: string, ordinal: number) => Reading {
  const readers = {
    direct: answerReader('direct', request),
    checkout: answerReader('checkout', request),
    queued: answerReader('queued', request),
  };
  return (status, body, ordinal) => {
    const road = roadOf(mix, ordinal);
    if (road === 'redeem') return redemptions.read(status, body, ordinal);
    const { slug, orderId, code } = readers[road](status, body);
    if (orderId !== null && code !== null) holds.add(ordinal, { orderId, code }, isAbandoned(mix, ordinal));
    return { slug, orderId };
  };
}

/** Whether an order bought in this way may end with this status. */
function isLegalEnd(road: Road, redemption: Redemption, { status, reason }: ListedOrder): boolean {
  if (road === 'direct') return status === 'CONFIRMED';
  // Each shopper comes once and the sale is open, so only a lack of units ends a queued order.
  if (road === 'queued') return status === 'CONFIRMED' || (status === 'REJECTED' && reason === 'sold-out');
  if (redemption === 'confirmed') return status === 'CONFIRMED';
  return status === 'EXPIRED' || (redemption === 'unclear' && status === 'CONFIRMED');
}
