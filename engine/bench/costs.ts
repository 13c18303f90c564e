import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Cost, loadPurchases, measureCost, type RawWork } from './measure-cost.js';
import { median } from './median.js';
import { openSale, soldOutSale } from './sale.js';
import type { Server } from './servers.js';

const kinds = [
  'bare',
  'refusal',
  'order',
  'refusalWithoutKey',
  'refusalWithSession',
  'refusalWithJwt',
] as const;
type Kind = (typeof kinds)[number];

const names: Record<Kind, string> = {
  bare: 'bare Fastify POST',
  refusal: 'refusal as sold out',
  order: 'durable order',
  refusalWithoutKey: 'refusal without an Idempotency-Key',
  refusalWithSession: "refusal, with a shopper's session",
  refusalWithJwt: "refusal, with a shopper's JWT",
};
/** What each kind of request costs, in one round. */
export type CostRound = { bare: Cost } & Partial<Record<Kind, Cost>>;

export type CostOptions = { rounds: number; durationS: number };

/** Where one kind of request goes, and how it is made. */
export type CostSubject = { server: Server; work: Omit<RawWork, 'connections' | 'durationS'> };
export type CostSubjects = { bare: CostSubject } & Partial<Record<Kind, CostSubject>>;

// As many as keep each process busy.
const connections = 1000;
const unitsEnough = 1_000_000_000;

/** A refusal and an order, with the API key and an Idempotency-Key. */
export async function createBasicSubjects(engine: Server, bare: Server): Promise<CostSubjects> {
  const keys = true;
  return {
    bare: { server: bare, work: { productId: 1, keys } },
    refusal: { server: engine, work: { productId: await soldOutSale(engine), keys } },
    order: { server: engine, work: { productId: await openSale(engine, unitsEnough), keys } },
  };
}

/** Further refusals: without a key, and by shoppers who are known by their session or by a token of the shop's issuer. */
export async function createOtherSubjects(
  { engine, jwtEngine }: { engine: Server; jwtEngine: Server },
  callers: { sessions: string; tokens: string },
): Promise<Partial<CostSubjects>> {
  const productId = await soldOutSale(engine);
  const ofJwt = await soldOutSale(jwtEngine);
  return {
    refusalWithoutKey: { server: engine, work: { productId, keys: false } },
    refusalWithSession: { server: engine, work: { productId, keys: true, callers: callers.sessions } },
    refusalWithJwt: { server: jwtEngine, work: { productId: ofJwt, keys: true, callers: callers.tokens } },
  };
}

/**
 * Measures the processor time that a request takes, in many short rounds in turn: the machine's speed drifts within
 * seconds, so ratios to a bare server are compared, and the median of many. The first round warms up and does not count.
 */
export async function measureCosts(
  subjects: CostSubjects,
  { rounds, durationS }: CostOptions,
): Promise<CostRound[]> {
  const measured: CostRound[] = [];
  for (let count = 0; count <= rounds; count++) {
    process.stderr.write(`processor time a request, ${count === 0 ? 'warming up' : `round ${count}`}\n`);
    const bare = await measureSubject('bare', subjects.bare, durationS);
    const round: CostRound = { bare };
    for (const kind of kindsOf(subjects)) {
      const subject = subjects[kind];
      if (kind !== 'bare' && subject) round[kind] = await measureSubject(kind, subject, durationS);
    }
    if (count > 0) measured.push(round);
  }
  return measured;
}

function measureSubject(kind: Kind, { server, work }: CostSubject, durationS: number): Promise<Cost> {
  return measureCost(server, names[kind], () => loadPurchases(server, { ...work, connections, durationS }));
}

function kindsOf(measured: Partial<Record<Kind, unknown>>): Kind[] {
  return kinds.filter(kind => kind in measured);
}

/** One line per kind: medians, and the ratio to the bare server round by round. */
export function renderCosts(rounds: readonly CostRound[]): string[] {
  const [first] = rounds;
  return kindsOf(first ?? {}).map(kind => {
    const own = median(rounds.map(round => round[kind]?.cpuUsPerRequest ?? Number.NaN));
    const postgres = rounds.map(round => round[kind]?.postgresUsPerRequest ?? Number.NaN);
    const ofBare = postgres.map((us, round) => us / (rounds[round]?.bare.cpuUsPerRequest ?? Number.NaN));
    const ratios = ratiosOf(rounds, kind);
    const perRound = ratios.map(ratio => ratio.toFixed(2)).join(', ');
    const text = `${names[kind].padEnd(38)} ${own.toFixed(1).padStart(6)} µs`;
    if (kind === 'bare') return text;
    const ofPostgres = `PostgreSQL ${median(postgres).toFixed(1)} µs, ${median(ofBare).toFixed(2)} of bare`;
    return `${text}, ${median(ratios).toFixed(2)} of bare (rounds ${perRound}); ${ofPostgres}`;
  });
}

function ratiosOf(rounds: readonly CostRound[], kind: Kind): number[] {
  return rounds.map(round => (round[kind]?.cpuUsPerRequest ?? Number.NaN) / round.bare.cpuUsPerRequest);
}

const acceptedSchema = z.object({ refusal: z.number(), order: z.number() });
const acceptedFile = fileURLToPath(new URL('../bench/accepted-costs.json', import.meta.url));
// On a quiet machine the ratios of two runs differ by up to 5 %. On a noisy one even the medians of seven rounds
// differed by a tenth and more: such a machine is no judge of 8 %.
const tolerance = 1.08;

/** The kinds of request that got wrong answers, as sentences: their figures are worth nothing. */
export function wronglyAnswered(rounds: readonly CostRound[]): string[] {
  return kinds.flatMap(kind => {
    const errors = rounds.reduce((sum, round) => sum + (round[kind]?.errors ?? 0), 0);
    return kind === 'bare' || errors === 0 ? [] : [`${names[kind]}: ${errors} wrong answers`];
  });
}

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
