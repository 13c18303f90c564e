import { z } from 'zod';
import type { Sale } from '../../catalog/sales.js';
import { coalesce } from '../../platform/batching/coalesce.js';
import type { DatabaseClock } from '../../platform/database-clock.js';
import type { RedisLink } from '../../platform/redis-link.js';
import type { StockViews } from '../stock-views.js';
import type { Gate, GateRefusal } from './gate.js';
import { groupBySale } from './group-by-sale.js';
import { judge } from './judge.js';
import { countSharedDisagreements } from './redis-audit.js';
import { stockKey, unitsKey } from './redis-scripts.js';
import type { SharedStock } from './shared-stock.js';

export type RedisGateOptions = {
  link: RedisLink;
  shared: SharedStock;
  views: StockViews;
  clock: DatabaseClock;
  /** How long a question may wait before it is sent. */
  patienceMs: number;
};

type Question = { sale: Sale; shopperId: string; quantity: number };
type Answer = { version: number; flags: number };

// Redis answers a batch of this size in half a millisecond. Lua accepts some 8,000 keys in one call.
const batchMax = 500;
const waitersMax = 20_000;

/**
 * The gate of many processes. It asks memory first; a refusal from memory needs no round trip. Redis adds what no
 * memory knows: the units of buyers whom any process has refused, and the stock while this process cannot follow the
 * ledger. Questions that arrive while others are under way are sent together. While Redis is slow, down, or without a
 * valid epoch, memory alone answers, and no shopper waits.
 */
export function createRedisGate({ link, shared, views, clock, patienceMs }: RedisGateOptions): Gate {
  const ask = coalesce<Question, Answer | undefined>(askTogether, {
    keysMax: batchMax,
    waitersMax,
    deadlineMs: patienceMs,
  });

  async function askTogether(questions: readonly Question[]): Promise<(Answer | undefined)[]> {
    const answers = new Map<Question, Answer>();
    const epoch = shared.epoch();
    if (epoch === undefined) return questions.map(() => undefined);
    const ofSales = [...groupBySale(questions, ({ sale }) => sale.saleId).values()];
    const askAbout = async (ofSale: readonly Question[]) => {
      for (const [position, answer] of (await askAboutSale(link, epoch, ofSale)).entries()) {
        const question = ofSale[position];
        if (question) answers.set(question, answer);
      }
    };
    await Promise.all(ofSales.map(askAbout));
    return questions.map(question => answers.get(question));
  }

  async function askRedis(question: Question): Promise<GateRefusal | undefined> {
    try {
      const answer = await ask(question);
      if (!answer) return undefined;
      // Memory has let it pass, and is right unless Redis has a newer version.
      const isNews = answer.version > (views.peek(question.sale.saleId)?.version ?? -1);
      if (answer.flags & flag.soldOut && isNews) return 'sold-out';
      return answer.flags & flag.limitReached ? 'limit-reached' : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    check(sale, shopperId, quantity, mayBeRetry) {
      const verdict = judge({ sale, quantity, mayBeRetry }, clock, views.peek(sale.saleId));
      if (verdict === 'in-doubt') return undefined;
      if (verdict !== 'open') return verdict;
      // Redis only adds refusals for units that may come back, which must not refuse a retry.
      if (mayBeRetry || shared.epoch() === undefined) return undefined;
      return askRedis({ sale, shopperId, quantity });
    },
    limitReached: shared.writeUnits,
    async countDisagreements(stocks) {
      const [ofMemory, ofRedis] = await Promise.all([
        views.countDisagreements(stocks),
        countSharedDisagreements(link, stocks),
      ]);
      return ofMemory + ofRedis;
    },
  };
}

const flag = { soldOut: 1, limitReached: 2 };

const answerSchema = z.array(z.number());

async function askAboutSale(
  link: RedisLink,
  epoch: string,
  questions: readonly Question[],
): Promise<Answer[]> {
  const [first] = questions;
  if (!first) return [];
  const { saleId, perUserLimit } = first.sale;
  const keys = [
    stockKey(epoch, saleId),
    ...questions.map(({ shopperId }) => unitsKey(epoch, saleId, shopperId)),
  ];
  const quantities = questions.map(({ quantity }) => quantity);
  const reply = await link.send(redis => redis.gateCheck(keys.length, ...keys, perUserLimit, ...quantities));
  const [version, ...flags] = answerSchema.parse(reply);
  return version === undefined ? [] : flags.map(ofOne => ({ version, flags: ofOne }));
}
