import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Cost, loadPurchases, measureCost } from './measure-cost.js';
import { median } from './median.js';
import { openSale, soldOutSale } from './sale.js';
import type { Server } from './servers.js';

/** What each kind of request costs, in one round. */
export type CostRound = Record<Kind, Cost>;

const kinds = ['bare', 'refusal', 'refusalWithoutKey', 'order'] as const;
type Kind = (typeof kinds)[number];

const names: Record<Kind, string> = {
  bare: 'bare Fastify POST',
  refusal: 'refusal as sold out',
  refusalWithoutKey: 'the same without an Idempotency-Key',
  order: 'durable order',
};

export type CostOptions = { rounds: number; durationS: number };

// As many as keep each process busy.
const connections = 1000;
const warmUpS = 2;
const unitsEnough = 1_000_000_000;

/**
 * Measures the processor time that a request takes, in short rounds in turn: the machine's speed drifts, but the ratio
 * to a bare server drifts little. Every request has an Idempotency-Key, except where the name says otherwise.
 */
export async function measureCosts(
  { engine, bare }: { engine: Server; bare: Server },
  { rounds, durationS }: CostOptions,
): Promise<CostRound[]> {
  const soldOut = await soldOutSale(engine);
  const open = await openSale(engine, unitsEnough);
  const of = (kind: Kind, seconds: number) => {
    const server = kind === 'bare' ? bare : engine;
    const productId = kind === 'order' ? open : soldOut;
    const work = { productId, connections, durationS: seconds, keys: kind !== 'refusalWithoutKey' };
    return measureCost(server, names[kind], () => loadPurchases(server, work));
  };
  const round = async (seconds: number): Promise<CostRound> => ({
    bare: await of('bare', seconds),
    refusal: await of('refusal', seconds),
    refusalWithoutKey: await of('refusalWithoutKey', seconds),
    order: await of('order', seconds),
  });
  process.stderr.write('processor time a request, a round to warm up\n');
  await round(warmUpS);
  const measured: CostRound[] = [];
  for (let count = 0; count < rounds; count++) measured.push(await round(durationS));
  return measured;
}

/** One line per kind: medians, and the ratio to the bare server round by round. */
export function renderCosts(rounds: readonly CostRound[]): string[] {
  return kinds.map(kind => {
    const own = median(rounds.map(round => round[kind].cpuUsPerRequest));
    const postgres = median(rounds.map(round => round[kind].postgresUsPerRequest));
    const ratios = ratiosOf(rounds, kind);
    const perRound = ratios.map(ratio => ratio.toFixed(2)).join(', ');
    const text = `${names[kind].padEnd(36)} ${own.toFixed(1).padStart(6)} µs`;
    if (kind === 'bare') return text;
    return `${text}, ${median(ratios).toFixed(2)} of bare (rounds ${perRound}); PostgreSQL ${postgres.toFixed(1)} µs`;
  });
}

function ratiosOf(rounds: readonly CostRound[], kind: Kind): number[] {
  return rounds.map(round => round[kind].cpuUsPerRequest / round.bare.cpuUsPerRequest);
}

const acceptedSchema = z.object({ refusal: z.number(), order: z.number() });
const acceptedFile = fileURLToPath(new URL('../bench/accepted-costs.json', import.meta.url));
// Between rounds on one machine the ratios differed by up to 5 %.
const tolerance = 1.08;

/** The kinds whose ratio to the bare server is more than 8 % above the accepted one, as sentences. */
export function costlierThanAccepted(
  rounds: readonly CostRound[],
  accepted = acceptedSchema.parse(JSON.parse(readFileSync(acceptedFile, 'utf8'))),
): string[] {
  return (['refusal', 'order'] as const).flatMap(kind => {
    const ratio = median(ratiosOf(rounds, kind));
    if (ratio <= accepted[kind] * tolerance) return [];
    return [
      `A ${names[kind]} costs ${ratio.toFixed(2)} times a bare POST; ${accepted[kind]} is accepted (${acceptedFile})`,
    ];
  });
}
