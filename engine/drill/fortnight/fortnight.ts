import { runAudit } from '../audit.js';
import type { Audit } from '../judge.js';
import { until } from '../until.js';
import { describeDay, type FortnightDay } from './day.js';
import { type Actor, type Complain, createDesk } from './desk.js';
import { measure, problemsOfGrowth } from './growth.js';
import { openReceiver, type Receiver } from './receiver.js';
import { type Season, seasons } from './seasons.js';
import { settleDay, settleLong, settleStep, untilClockIsSeen } from './settle.js';
import { openShop, type Shop } from './shop.js';
import { createPayers, createShoppers, openRepeatingSales, type Repeating } from './shoppers.js';
import { createSolvers, createVisitors } from './visitors.js';
import { problemsOf } from './windows.js';

export type Fortnight = { days: FortnightDay[]; breaches: string[] };

// A quick run covers a clock change and a day of attempts that is deleted.
const lengths = { full: { hours: 14 * 24, stepHours: 1 }, quick: { hours: 48, stepHours: 6 } };
// After a suspension this long, everything that is due once a day is overdue, and everything kept for a month is too
// old.
const leapHours = 40 * 24;

export type FortnightOptions = { season: Season; isQuick: boolean; say: (message: string) => void };

/** Opens the shop at the beginning of the fortnight; `stop` ends it. */
export function openShopFor({ season, isQuick }: FortnightOptions): Promise<Shop> {
  const { startsAt, quickStartsAt } = seasons[season];
  return openShop(new Date(isQuick ? quickStartsAt : startsAt), keptDaysOf(isQuick));
}

/** A fortnight of `doorbuster start` in steps: due work is done, the daily audit is clean, and nothing grows. */
export async function runFortnight(shop: Shop, { isQuick, say }: FortnightOptions): Promise<Fortnight> {
  const found: string[] = [];
  const complain: Complain = breach => {
    found.push(breach);
    say(`BROKEN  ${breach}`);
  };
  const stage = await setStage(shop, complain);
  const life = { shop, isQuick, complain, say, found, ...stage };
  try {
    const days = await liveThrough(life);
    for (const problem of problemsOfGrowth(days.map(({ size }) => size))) complain(problem);
    await sleepLong(life);
    return { days, breaches: [...days.flatMap(({ breaches }) => breaches), ...found] };
  } finally {
    await stage.receiver.close();
  }
}

// Short, so that data expires during a fortnight, and during a quick run too.
const keptDaysOf = (isQuick: boolean) => (isQuick ? 1 : 3);

type Stage = { actors: Actor[]; repeating: Repeating[]; receiver: Receiver };

async function setStage(shop: Shop, complain: Complain): Promise<Stage> {
  const desk = createDesk(shop, complain);
  const repeating = await openRepeatingSales(desk);
  const receiver = await openReceiver(desk);
  const actors = [
    ...[createShoppers(desk, repeating), await createPayers(desk), await createSolvers(desk)],
    ...[createVisitors(desk), receiver],
  ];
  return { actors, repeating, receiver };
}

type Life = Stage & {
  shop: Shop;
  isQuick: boolean;
  complain: Complain;
  say: (message: string) => void;
  /** Breaches found so far on this day. */
  found: string[];
};

async function liveThrough(life: Life): Promise<FortnightDay[]> {
  const { isQuick, actors } = life;
  const { hours, stepHours } = isQuick ? lengths.quick : lengths.full;
  const days: FortnightDay[] = [];
  for (let hour = 0; hour < hours; hour += stepHours) {
    for (const actor of actors) await actor.act(hour);
    await pass(life, stepHours);
    const isEvening = (hour + stepHours) % 24 === 0 || hour + stepHours >= hours;
    if (isEvening) days.push(await endDay(life, days.length + 1));
  }
  return days;
}

async function pass({ shop, complain }: Life, hours: number): Promise<void> {
  shop.clock.advance(hours * 3600);
  await untilClockIsSeen(shop);
  await settleStep(shop, complain);
}

async function endDay(life: Life, day: number): Promise<FortnightDay> {
  const { shop, complain, repeating, receiver, found, isQuick, say } = life;
  await settleDay(shop, complain, keptDaysOf(isQuick));
  for (const each of repeating) await checkWindows(shop, each, complain);
  checkAudit(await runAudit(shop.env), complain);
  const ended = {
    day,
    size: await measure(shop),
    endsAt: shop.clock.now(),
    webhooks: receiver.takeCounts(),
    warnings: shop.takeWarnings(),
    breaches: found.splice(0),
  };
  say(describeDay(ended));
  return ended;
}

/** All data that is kept for a limited time must be deleted, whether or not new data is added. */
async function sleepLong(life: Life): Promise<void> {
  const { shop, complain, say, isQuick } = life;
  say(`${leapHours / 24} days pass at once`);
  await pass(life, leapHours);
  await settleDay(shop, complain, keptDaysOf(isQuick));
  await settleLong(shop, complain);
  checkAudit(await runAudit(shop.env), complain);
}

const dayMs = 86_400_000;

/** The windows of the next 24 hours are planned, and at least one later window. The planner runs every ten seconds. */
async function checkWindows(
  { pool, clock }: Shop,
  { pattern, productId, firstStartsAt }: Repeating,
  complain: Complain,
): Promise<void> {
  const to = new Date(clock.now().getTime() + dayMs);
  let problems: string[] = [];
  const areRight = async () => {
    const { rows } = await pool.query<{ startsAt: Date }>(
      'select starts_at as "startsAt" from sales where product_id = $1 and starts_at < $2 order by starts_at',
      [productId, to],
    );
    problems = problemsOf(
      pattern,
      rows.map(({ startsAt }) => startsAt),
      firstStartsAt,
      to,
    );
    return problems.length === 0;
  };
  await until('all windows are planned', areRight, plannedWithinMs).catch(() => problems.forEach(complain));
}

const plannedWithinMs = 100_000;

function checkAudit({ ok, invariants }: Audit, complain: Complain): void {
  for (const { id, title, violations } of invariants)
    if (violations > 0) complain(`audit: ${id} ${title}: ${violations}`);
  if (!ok) complain('audit: the exit code was not 0');
}
