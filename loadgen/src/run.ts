import { createDrive, type DriveResult } from './drive/drive.js';
import { startProgress } from './measure/progress.js';
import { type GeneratorUsage, measureUsage } from './measure/usage.js';
import type { Options } from './options.js';
import { climb } from './overload/climb.js';
import type { Curve } from './overload/curve.js';
import { startTelling } from './parent.js';
import { prepare, type Run } from './prepare.js';
import {
  idFigures,
  latencyFigures,
  type Report,
  roadReports,
  throughputFigures,
  verdictOf,
} from './report.js';
import { QUANTITY } from './scenarios/scenario.js';
import { type Settled, settleRun } from './settle-run.js';
import { check } from './verdict/check.js';
import { type Findings, verify } from './verdict/verify.js';

/** The result of the load, before it is judged. */
interface Load {
  readonly startedAt: string;
  readonly result: DriveResult;
  readonly usage: GeneratorUsage;
  readonly curve: Curve | null;
}

interface Verification extends Findings {
  readonly settled: Settled;
  /** The server answered the verification calls, whatever the result. */
  readonly verified: boolean;
}

const NOT_SETTLED: Settled = { decisions: null, interrupted: false };

/**
 * One run from sale to report: prepare, drive, settle, verify, end the sale. `onInterruptible` receives a function that
 * ends the load, or the wait after it, early. The run then still verifies and reports.
 *
 * @throws LoadFailure when the run cannot take place.
 */
export async function run(
  options: Options,
  onInterruptible: (interrupt: () => void) => void,
): Promise<Report> {
  const prepared = await prepare(options);
  try {
    const load = await driveRun(prepared, onInterruptible);
    recordNotSent(prepared, load.result);
    return toReport(prepared, load, await verifyRun(prepared, onInterruptible));
  } finally {
    await endOwnSale(prepared);
  }
}

async function driveRun(prepared: Run, onInterruptible: (interrupt: () => void) => void): Promise<Load> {
  const { options, traffic, journal } = prepared;
  const { recorder } = traffic;
  try {
    const start = await readyToDrive(prepared, onInterruptible);
    const startedAt = new Date().toISOString();
    const startedAtMs = performance.now();
    const stopUsage = measureUsage();
    const readProgress = () => ({
      elapsedMs: performance.now() - startedAtMs,
      requests: recorder.ended,
      p99Ms: recorder.sinceIntended.percentileMs(99),
      outcomes: recorder.outcomes.list(),
    });
    const progress = startProgress(options.quiet, readProgress);
    const stopTelling = startTelling(readProgress);
    const driven = await start().finally(() => {
      progress.stop();
      stopTelling();
    });
    return { startedAt, usage: stopUsage(), ...driven };
  } finally {
    journal?.close();
  }
}

/** Opens connections in advance where possible. @returns the function that drives the load. */
async function readyToDrive(
  prepared: Run,
  onInterruptible: (interrupt: () => void) => void,
): Promise<() => Promise<Pick<Load, 'result' | 'curve'>>> {
  const { options, plan, traffic } = prepared;
  const { pace, connections } = plan;
  // Each step of a climb opens its own connections.
  if (pace.kind === 'climb') return () => climb(prepared, pace, onInterruptible);
  const { recorder, followUps, write } = traffic;
  const drive = createDrive(
    { ...options, connections, pace, write, ...(followUps === null ? {} : { followUps }) },
    recorder,
  );
  onInterruptible(drive.interrupt);
  await drive.open();
  return async () => ({ result: await drive.run(), curve: null });
}

/** Due requests that were never sent count as errors. After an interruption no more were due. */
function recordNotSent(
  { traffic: { recorder } }: Run,
  { overflowed, unsent, givenUp, interrupted }: DriveResult,
): void {
  recorder.outcomes.add(null, 'overflow', overflowed);
  if (givenUp && !interrupted) recorder.outcomes.add(null, 'unsent', unsent);
}

async function verifyRun(
  prepared: Run,
  onInterruptible: (interrupt: () => void) => void,
): Promise<Verification> {
  const { options, plan, sale, shop, shopperPrefix, orderTraffic } = prepared;
  const settled = NOT_SETTLED;
  if (sale === null || orderTraffic === null || !options.verify)
    return { checks: [], ends: [], damage: null, settled, verified: false };
  try {
    const settled = await settleRun(prepared, onInterruptible);
    const findings = await verify(shop, {
      ...prepared,
      traffic: orderTraffic,
      ...sale,
      saleIsOurs: sale.isOurs,
      perUserLimit: sale.isOurs ? (plan.sale?.perUserLimit ?? null) : null,
      mustHaveEnded: plan.settling !== 'nothing',
      quantity: QUANTITY,
      auditPatienceMs: options.auditPatienceMs,
      shopperNumber: shopperId =>
        shopperId.startsWith(shopperPrefix) ? Number(shopperId.slice(shopperPrefix.length)) : null,
    });
    return { ...findings, settled, verified: true };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const failed = check('answers compared with the orders', false, `could not verify: ${reason}`);
    return { checks: [failed], ends: [], damage: null, settled, verified: false };
  }
}

function toReport(
  prepared: Run,
  { startedAt, result, usage, curve }: Load,
  { checks, ends, damage, settled, verified }: Verification,
): Report {
  const { options, plan, sale, traffic } = prepared;
  const outcomes = traffic.recorder.outcomes.list();
  const ids = traffic.ids?.findings() ?? null;
  const facts = {
    due: outcomes.reduce((sum, { count }) => sum + count, 0),
    outcomes: traffic.recorder.outcomes,
    roads: traffic.roads,
    ids,
    othersMayTake: !options.verify,
    unitsAtStart: sale?.unitsAtStart ?? 0,
    quantity: QUANTITY,
    refusedConnects: result.connections.refused,
    curve,
    tolerateErrors: options.tolerateErrors,
  };
  const judged = options.scenario.judge(facts, options.settings);
  return {
    schema: 'doorbuster-load/1',
    scenario: options.scenario.name,
    url: options.target.origin,
    startedAt,
    settings: options.settings,
    keys: options.keys,
    tolerateErrors: options.tolerateErrors,
    sale:
      sale === null
        ? null
        : { productId: sale.productId, saleId: sale.saleId, unitsAtStart: sale.unitsAtStart },
    interrupted: result.interrupted || settled.interrupted,
    givenUp: result.givenUp,
    elapsedMs: result.elapsedMs,
    throughput: throughputFigures(result, outcomes),
    latencyMs: latencyFigures(traffic, plan, result),
    outcomes,
    roads: roadReports(traffic.roads),
    ends,
    damage,
    decisions: settled.decisions,
    curve,
    ids: ids === null ? null : idFigures(ids, result),
    connections: result.connections,
    verdict: verdictOf([...judged, ...checks], verified),
    generator: usage,
  };
}

/** Ends a sale that was created for this run. A failure to end it does not affect the verdict. */
async function endOwnSale({ shop, sale }: Run): Promise<void> {
  if (sale?.isOurs !== true) return;
  await shop.endSale(sale.saleId).catch((error: unknown) => {
    process.stderr.write(
      `Sale ${sale.saleId} was not ended: ${error instanceof Error ? error.message : error}\n`,
    );
  });
}
