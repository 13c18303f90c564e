import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimit, RateLimits } from '../../admission/rate-limits/rate-limits.js';
import type { Refusals } from '../../admission/refusals.js';
import type { Shedding } from '../../admission/shedding.js';
import type { Caller } from '../identity/identity.js';
import { addressKeyOf } from '../limits/client-address.js';
import { type RatePolicy, tellRate, tellRetryAfter } from '../limits/rate-limit-answer.js';

/** @returns undefined if the call may go on. Callers without a limit get no promise. */
type Admit<Refusal> = (
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  shopperId: string,
) => Refusal | undefined | Promise<Refusal | undefined>;

export type AdmissionRefusal = 'overloaded' | 'rate-limited';
export type AdmitPurchase = Admit<AdmissionRefusal>;
export type AdmitRedemption = Admit<'rate-limited'>;

export type AdmissionOptions = {
  shedding: Shedding;
  refusals: Refusals;
  rateLimits: RateLimits;
  /** Purchases of one shopper, and as many redemptions; purchases of one address. Undefined means no limit. */
  perShopper: RateLimit | undefined;
  perAddress: RateLimit | undefined;
  /** Whether shoppers whom the shop's own server names are limited as well. */
  limitsService: boolean;
};

export type Admission = {
  /** Checks a purchase once its shopper is known: shedding, then purchases per shopper and per address. */
  admitPurchase: AdmitPurchase;
  /**
   * Checks a payment for a hold. It has its own count, so that a shopper who needed many tries to get the hold can still pay.
   */
  admitRedemption: AdmitRedemption;
};

type Wanted = { layer: 'shopper' | 'ipPurchases'; policy: RatePolicy; key: string };

export function createAdmission(options: AdmissionOptions): Admission {
  const { shedding, refusals, rateLimits, perShopper, perAddress, limitsService } = options;

  function ofShopper(name: 'shopper' | 'redemptions', shopperId: string): Wanted[] {
    if (!perShopper) return [];
    return [{ layer: 'shopper', policy: { name, rate: perShopper }, key: `${name}:${shopperId}` }];
  }

  function ofAddress(request: FastifyRequest, caller: Caller): Wanted[] {
    if (!perAddress || caller.kind !== 'shopper') return [];
    const policy = { name: 'ip-purchases', rate: perAddress };
    return [{ layer: 'ipPurchases', policy, key: `ip:${addressKeyOf(request)}` }];
  }

  async function takeAll(
    wanted: readonly Wanted[],
    reply: FastifyReply,
  ): Promise<'rate-limited' | undefined> {
    for (const { layer, policy, key } of wanted) {
      const taken = await rateLimits.take(key, policy.rate);
      tellRate(reply, policy, taken);
      if (taken.allowed) continue;
      refusals[layer] += 1;
      tellRetryAfter(reply, taken);
      return 'rate-limited';
    }
    return undefined;
  }

  const isExempt = (caller: Caller) => caller.kind === 'service' && !limitsService;

  return {
    admitPurchase(request, reply, caller, shopperId) {
      if (shedding.refuses('buying')) {
        refusals.shedBuying += 1;
        return 'overloaded';
      }
      if (isExempt(caller)) return undefined;
      return takeAll([...ofShopper('shopper', shopperId), ...ofAddress(request, caller)], reply);
    },
    admitRedemption(_request, reply, caller, shopperId) {
      return isExempt(caller) ? undefined : takeAll(ofShopper('redemptions', shopperId), reply);
    },
  };
}
