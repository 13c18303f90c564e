import { expect, it } from 'vitest';
import { type CostRound, costlierThanAccepted, renderCosts, wronglyAnswered } from '../bench/costs.js';

const cost = (cpuUsPerRequest: number) => ({
  cpuUsPerRequest,
  postgresUsPerRequest: 10,
  requestsPerSecond: 1000,
  errors: 0,
});
const round = (refusal: number, order: number): CostRound => ({
  bare: cost(20),
  refusal: cost(refusal),
  order: cost(order),
});
const accepted = { refusal: 1.5, order: 2 };

it('the bench accepts 8 % above the accepted cost of a request, judged by the median round, and no more', () => {
  const within = [round(32.4, 43.2), round(32.3, 43), round(60, 60)];
  expect(costlierThanAccepted(within, accepted)).toEqual([]);

  const above = [round(32.5, 43.1), round(32.5, 43.1), round(20, 20)];
  expect(costlierThanAccepted(above, accepted)).toEqual([
    expect.stringMatching(/refusal.* 1\.6\d times.* 1\.5 is/),
  ]);
  expect(renderCosts(above)[1]).toMatch(/32\.5 µs, 1\.6\d of bare \(rounds 1\.6\d, 1\.6\d, 1\.00\)/);
});

it('the bench does not accept the cost of wrong answers', () => {
  const right = round(30, 40);
  expect(wronglyAnswered([right, right])).toEqual([]);
  const wrong = { ...right, refusalWithJwt: { ...cost(20), errors: 3 } };
  expect(wronglyAnswered([right, wrong, wrong])).toEqual(["refusal, with a shopper's JWT: 6 wrong answers"]);
});
