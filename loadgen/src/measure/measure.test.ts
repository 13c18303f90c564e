import { expect, it } from 'vitest';
import { answerReader, problemSlug } from '../contract/answer.js';
import { LatencyRecorder } from './latency.js';
import { progressLine } from './progress.js';

it('percentiles are in milliseconds, precise to three digits', () => {
  const recorder = new LatencyRecorder();
  for (let latencyMs = 1; latencyMs <= 1000; latencyMs += 1) recorder.record(latencyMs);
  const { p50, p95, p99, p999, max, count } = recorder.summary();
  expect([p50, p95, p99, p999, max].map(Math.round)).toEqual([500, 950, 990, 999, 1000]);
  expect(count).toBe(1000);
});

it('a stall of one second at an expected interval of 10 ms counts as a hundred late requests', () => {
  const recorder = new LatencyRecorder();
  for (let i = 0; i < 1000; i += 1) recorder.record(1);
  recorder.record(1000);
  const corrected = recorder.corrected(10).summary();
  expect(recorder.summary().p99).toBeCloseTo(1);
  expect(corrected.count).toBe(1100);
  expect(corrected.p95).toBeGreaterThan(400);
});

it('a latency beyond the histogram counts as its maximum', () => {
  const recorder = new LatencyRecorder();
  recorder.record(86_400_000);
  expect(recorder.summary().max).toBeGreaterThanOrEqual(600_000);
});

it('progress shows the rate since the previous line', () => {
  const state = {
    elapsedMs: 2_000,
    requests: 50_000,
    p99Ms: 12.34,
    outcomes: [{ slug: 'confirmed', count: 50_000 }],
  };
  expect(progressLine(state, { elapsedMs: 1_000, requests: 10_000 })).toBe(
    '2.0 s | 50,000 requests | 40,000 req/s | p99 12.3 ms | confirmed 50,000',
  );
});

it.each([
  ['{"type":"https://doorbuster.dev/problems/sold-out"}', 'sold-out'],
  ['{"type":"/problems/limit-reached"}', 'limit-reached'],
  ['{"type":"overloaded"}', 'overloaded'],
  ['{"type":"about:blank/"}', 'no-problem-type'],
  ['{"title":"x"}', 'no-problem-type'],
  ['<html>', 'no-problem-type'],
])('the slug of %s is %s', (body, slug) => {
  expect(problemSlug(body)).toBe(slug);
});

it.each([
  ['not JSON', 'OK'],
  [
    'for another product',
    '{"success":true,"order":{"id":"x","productId":8,"quantity":1,"status":"CONFIRMED"}}',
  ],
  [
    'for another quantity',
    '{"success":true,"order":{"id":"x","productId":7,"quantity":2,"status":"CONFIRMED"}}',
  ],
  ['not confirmed', '{"success":true,"order":{"id":"x","productId":7,"quantity":1,"status":"QUEUED"}}'],
  ['not a success', '{"success":false,"order":{"id":"x","productId":7,"quantity":1,"status":"CONFIRMED"}}'],
])('a 200 that is %s is not a confirmation', (_name, body) => {
  expect(answerReader('direct', { productId: 7, quantity: 1 })(200, body).slug).toBe('invalid-answer');
});

const HELD = '"order":{"id":"x","productId":7,"quantity":1,"status":"RESERVED"}';

it.each([
  ['checkout', 201, `{"success":true,"code":"c",${HELD}}`, { slug: 'reserved', orderId: 'x', code: 'c' }],
  ['queued', 202, '{"order_id":"x","status":"QUEUED"}', { slug: 'queued', orderId: 'x', code: null }],
  ['checkout', 200, `{"success":true,"code":"c",${HELD}}`, { slug: 'no-problem-type', orderId: null }],
  ['checkout', 201, `{"success":true,${HELD}}`, { slug: 'invalid-answer', orderId: null }],
  ['redeem', 200, `{"success":true,${HELD}}`, { slug: 'invalid-answer', orderId: null }],
  ['queued', 202, '{"order_id":"x","status":"CONFIRMED"}', { slug: 'invalid-answer', orderId: null }],
  ['queued', 202, '{"status":"QUEUED"}', { slug: 'invalid-answer', orderId: null }],
] as const)('for the way to buy "%s", %i %s is read correctly', (road, status, body, expected) => {
  expect(answerReader(road, { productId: 7, quantity: 1 })(status, body)).toMatchObject(expected);
});
