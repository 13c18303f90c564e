import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimit, RateLimits } from '../admission/rate-limits/rate-limits.js';
import type { Refusals } from '../admission/refusals.js';
import type { Shedding } from '../admission/shedding.js';
import { addressKeyOf } from './client-address.js';
import type { Caller } from './identity/identity.js';
import { type RatePolicy, tellRate, tellRetryAfter } from './rate-limit-answer.js';

type Refusal = 'overloaded' | 'rate-limited';

/** @returns undefined where the purchase may go on; no promise for those who are under no limit. */
export type AdmitPurchase = (
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  shopperId: string,
) => Refusal | undefined | Promise<Refusal | undefined>;

export type AdmitPurchaseOptions = {
  shedding: Shedding;
  refusals: Refusals;
  rateLimits: RateLimits;
  /** Purchases of one shopper and of one address; undefined is no limit. */
  perShopper: RateLimit | undefined;
  perAddress: RateLimit | undefined;
  /** Whether shoppers whom the shop's own server names are limited as well. */
  limitsService: boolean;
};

type Wanted = { layer: 'shopper' | 'ipPurchases'; policy: RatePolicy; key: string };

/** What a purchase meets once it is known whose it is: shedding, and purchases per shopper and per address. */
export function createAdmitPurchase(options: AdmitPurchaseOptions): AdmitPurchase {
  const { shedding, refusals, rateLimits, perShopper, perAddress, limitsService } = options;

  function wantedOf(request: FastifyRequest, caller: Caller, shopperId: string): Wanted[] {
    const wanted: Wanted[] = [];
    if (perShopper) {
      const policy = { name: 'shopper', rate: perShopper };
      wanted.push({ layer: 'shopper', policy, key: `shopper:${shopperId}` });
    }
    if (perAddress && caller.kind === 'shopper') {
      const policy = { name: 'ip-purchases', rate: perAddress };
      wanted.push({ layer: 'ipPurchases', policy, key: `ip:${addressKeyOf(request)}` });
    }
    return wanted;
  }

  async function takeAll(wanted: readonly Wanted[], reply: FastifyReply): Promise<Refusal | undefined> {
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

  return (request, reply, caller, shopperId) => {
    if (shedding.refuses('buying')) {
      refusals.shedBuying += 1;
      return 'overloaded';
    }
    if (caller.kind === 'service' && !limitsService) return undefined;
    return takeAll(wantedOf(request, caller, shopperId), reply);
  };
}
