import { expect, it } from 'vitest';
import { decisionFigures } from './decisions.js';

const look = (atMs: number, decided: number) => ({ atMs, decided });

it('rates count from the last look with nothing decided; the middle rate spans 10 % to 90 %', () => {
  const looks = [look(5_000, 0), look(5_500, 50), look(6_000, 100), look(8_000, 900), look(9_000, 1_000)];
  expect(decisionFigures(looks, 1_000)).toEqual({
    decided: 1_000,
    decidedBefore: 0,
    elapsedMs: 4_000,
    decidedPerSecond: 250,
    middlePerSecond: 400,
  });
});

it('a backlog decided between two looks has no middle rate', () => {
  expect(decisionFigures([look(0, 0), look(100, 1_000)], 1_000)).toMatchObject({ middlePerSecond: null });
});

it('decisions before the last order was accepted are counted separately', () => {
  expect(decisionFigures([look(0, 700), look(1_000, 1_000)], 1_000)).toMatchObject({
    decided: 300,
    decidedBefore: 700,
  });
});

it('a backlog that no worker decides has no figures', () => {
  expect(decisionFigures([look(0, 0), look(60_000, 0)], 1_000)).toBeNull();
  expect(decisionFigures([], 1_000)).toBeNull();
});
