import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimit, RateLimits, RateTaken } from '../../admission/rate-limits/rate-limits.js';
import type { Refusals } from '../../admission/refusals.js';
import type { Shedding } from '../../admission/shedding.js';
import type { Caller } from '../identity/identity.js';
import { addressKeyOf } from '../limits/client-address.js';
import { createRatePolicy, type RatePolicy, tellRate, tellRetryAfter } from '../limits/rate-limit-answer.js';

/** @returns undefined if the call may go on. A promise only if the limits are outside this process. */
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

  const policies = {
    shopper: perShopper && createRatePolicy('shopper', perShopper),
    redemptions: perShopper && createRatePolicy('redemptions', perShopper),
    address: perAddress && createRatePolicy('ip-purchases', perAddress),
  };

  function ofShopper(name: 'shopper' | 'redemptions', shopperId: string): Wanted[] {
    const policy = policies[name];
    return policy ? [{ layer: 'shopper', policy, key: `${name}:${shopperId}` }] : [];
  }

  function ofAddress(request: FastifyRequest, caller: Caller): Wanted[] {
    const policy = policies.address;
    if (!policy || caller.kind !== 'shopper') return [];
    return [{ layer: 'ipPurchases', policy, key: `ip:${addressKeyOf(request)}` }];
  }

  // Limits in memory answer at once, and then a shopper's purchase makes no promise either.
  function takeAll([wanted, ...rest]: readonly Wanted[], reply: FastifyReply): ReturnType<AdmitRedemption> {
    if (!wanted) return undefined;
    const { policy, key } = wanted;
    const goOn = (taken: RateTaken) =>
      isWithin(wanted, taken, reply) ? takeAll(rest, reply) : 'rate-limited';
    const taken = rateLimits.take(key, policy.rate);
    return taken instanceof Promise ? taken.then(goOn) : goOn(taken);
  }

  function isWithin({ layer, policy }: Wanted, taken: RateTaken, reply: FastifyReply): boolean {
    tellRate(reply, policy, taken);
    if (taken.allowed) return true;
    refusals[layer] += 1;
    tellRetryAfter(reply, taken);
    return false;
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
