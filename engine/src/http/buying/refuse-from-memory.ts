import type { AskGate } from '../../admission/gate/ask-gate.js';
import type { GateRefusal } from '../../admission/gate/gate.js';
import type { SaleRoom } from '../../admission/sale-room.js';
import type { Calendar, Offer } from '../../catalog/calendar.js';
import type { Entrance } from '../../ledger/order-record.js';
import type { AdmissionRefusal, AdmitPurchase } from './admit.js';
import type { Visit } from './visit.js';

export type MemoryParts = {
  admitPurchase: AdmitPurchase;
  calendar: Calendar;
  askGate: AskGate;
  saleRoom: SaleRoom;
};

/** Why a purchase cannot succeed now, whatever the ledger would say. */
export type MemoryRefusal = GateRefusal | 'rate-limited';

/** A purchase whose sale was looked at; without a refusal it is for the ledger to decide. */
export type Looked = { offer: Offer; refusal: MemoryRefusal | undefined };

/**
 * What this process knows about a purchase before it asks anything outside its memory:
 *
 * | what                     | result                                                                  |
 * |--------------------------|-------------------------------------------------------------------------|
 * | stopped                  | answered at once, and no attempt at the sale                            |
 * | a refusal without a key  | answered at once, and recorded as an attempt without an order's id      |
 * | a refusal with a key     | the order of the key's earlier try is looked up; without one, refused   |
 * | no refusal               | decided by the ledger                                                   |
 */
export type Known = { stopped: 'overloaded' | 'rate-limited' | 'product-not-found' } | Looked;

/**
 * Step one of a purchase: refuse from memory what cannot succeed. It returns a promise only if memory has to be filled
 * first, or is shared in Redis.
 */
export function createRefuseFromMemory(parts: MemoryParts, entrance: Entrance) {
  const { admitPurchase, calendar, askGate, saleRoom } = parts;

  function afterAdmission(visit: Visit, barred: AdmissionRefusal | undefined): Known | Promise<Known> {
    // A request with a key may have an order from before the limit.
    if (barred === 'overloaded' || (barred && visit.key === undefined)) return { stopped: barred };
    const offer = calendar.peek(visit.body.productId);
    if (offer) return ofOffer(visit, barred, offer);
    return calendar.offerOf(visit.body.productId).then(found => ofOffer(visit, barred, found));
  }

  function ofOffer(
    visit: Visit,
    barred: 'rate-limited' | undefined,
    offer: Offer | undefined,
  ): Known | Promise<Known> {
    if (!offer) return { stopped: barred ?? 'product-not-found' };
    if (barred) return { offer, refusal: barred };
    if (!offer.sale) return { offer, refusal: 'sale-not-open' };
    const advice = askGate(offer.sale, visit.shopperId, visit.quantity, visit.key !== undefined);
    if (advice instanceof Promise) return advice.then(refusal => withRoom(offer, refusal));
    return withRoom(offer, advice);
  }

  // An order for the queue waits neither for the sale's lock nor for its holder.
  function withRoom(offer: Offer, refusal: GateRefusal | undefined): Known {
    const isFull = !refusal && offer.sale && saleRoom.refuses(offer.sale.saleId, entrance === 'queued');
    return isFull ? { stopped: 'overloaded' } : { offer, refusal };
  }

  return (visit: Visit): Known | Promise<Known> => {
    const barred = admitPurchase(visit.request, visit.reply, visit.caller, visit.shopperId);
    if (barred instanceof Promise) return barred.then(refusal => afterAdmission(visit, refusal));
    return afterAdmission(visit, barred);
  };
}
