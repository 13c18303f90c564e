import { answerReader } from '../contract/answer.js';
import { type Entrance, ROAD_CONTRACTS } from '../contract/road.js';
import { requestWriter } from '../http/request.js';
import { isUnknown } from '../measure/outcomes.js';
import { createRecorder, type Reading } from '../measure/recorder.js';
import type { OrderTraffic } from './traffic.js';
import { type TrafficOptions, toLine } from './traffic-options.js';

/**
 * The final status of an order, by the way to buy. No shopper redeems a checkout, the hold outlasts the run, and there
 * are units for all queued orders.
 */
const ENDS: Readonly<Record<Entrance, string>> = {
  direct: 'CONFIRMED',
  checkout: 'RESERVED',
  queued: 'CONFIRMED',
};

/** All shoppers use one way to buy, with one request each. */
export function oneRoad(road: Entrance, options: TrafficOptions): OrderTraffic {
  const { acknowledged, journal, request } = options;
  const writer = requestWriter({ ...request, path: options.path ?? ROAD_CONTRACTS[road].path });
  const recorder = createRecorder({
    read: options.isBare ? readBareAnswer : answerReader(road, request),
    acknowledged,
    isOpenLoop: options.isOpenLoop,
    onCounted: options.onCounted,
    onAcknowledged: (orderId, ordinal) => {
      if (road === 'direct') journal?.append(toLine(options, writer, orderId, ordinal));
    },
  });
  return {
    recorder,
    write: writer.write,
    shopperId: writer.shopperId,
    followUps: null,
    roads: [],
    ids: null,
    roadOf: () => road,
    isLegalEnd: (_ordinal, order) => order.status === ENDS[road],
    get unitsPromised() {
      return acknowledged.size * request.quantity;
    },
    unitsBackLate: 0,
    get unknown() {
      return recorder.outcomes.count(isUnknown);
    },
  };
}

/** A bare handler makes no promise about its body. */
function readBareAnswer(status: number): Reading {
  return { slug: status >= 200 && status < 300 ? 'ok' : 'refused', orderId: null };
}
