import { createDrive, type DriveResult } from './drive/drive.js';
import { isUnknown } from './measure/outcomes.js';
import { startProgress } from './measure/progress.js';
import { type GeneratorUsage, measureUsage } from './measure/usage.js';
import type { Options } from './options.js';
import { prepare, type Run } from './prepare.js';
import { latencyFigures, type Report, throughputFigures, verdictOf } from './report.js';
import { QUANTITY } from './scenarios/scenario.js';
import { type Check, check } from './verdict/check.js';
import { verify } from './verdict/verify.js';

/** How the load went, before it is judged. */
interface Load {
  readonly startedAt: string;
  readonly result: DriveResult;
  readonly usage: GeneratorUsage;
}

interface Verification {
  readonly checks: readonly Check[];
  /** The server could be asked, whatever it answered. */
  readonly verified: boolean;
}

/**
 * One run from the sale to the report: prepare, drive, verify, end the sale. `onInterruptible` is handed a function that
 * ends the load early; the run then still verifies and reports.
 *
 * @throws LoadFailure when it cannot take place.
 */
export async function run(
  options: Options,
  onInterruptible: (interrupt: () => void) => void,
): Promise<Report> {
  const prepared = await prepare(options);
  try {
    const load = await driveRun(prepared, onInterruptible);
    recordNotSent(prepared, load.result);
    const verification = options.verify ? await verifyRun(prepared) : { checks: [], verified: false };
    return toReport(prepared, load, verification);
  } finally {
    await endOwnSale(prepared);
  }
}

async function driveRun(prepared: Run, onInterruptible: (interrupt: () => void) => void): Promise<Load> {
  const { options, plan, writer, recorder, journal } = prepared;
  const drive = createDrive(
    { ...options, connections: plan.connections, pace: plan.pace, write: writer.write },
    recorder,
  );
  onInterruptible(drive.interrupt);
  try {
    await drive.open();
    const startedAt = new Date().toISOString();
    const startedAtMs = performance.now();
    const stopUsage = measureUsage();
    const progress = startProgress(options.quiet, () => ({
      elapsedMs: performance.now() - startedAtMs,
      requests: recorder.ended,
      p99Ms: recorder.sinceIntended.percentileMs(99),
      outcomes: recorder.outcomes.list(),
    }));
    const result = await drive.run();
    progress.stop();
    return { startedAt, result, usage: stopUsage() };
  } finally {
    journal?.close();
  }
}

/** Requests that were due and never sent count as errors. After an interruption nothing more was due. */
function recordNotSent({ recorder }: Run, { overflowed, unsent, givenUp, interrupted }: DriveResult): void {
  recorder.outcomes.add(null, 'overflow', overflowed);
  if (givenUp && !interrupted) recorder.outcomes.add(null, 'unsent', unsent);
}

async function verifyRun(prepared: Run): Promise<Verification> {
  const { sale, recorder, acknowledged, writer, shop, shopperPrefix } = prepared;
  if (sale === null) return { checks: [], verified: false };
  try {
    const checks = await verify(shop, {
      ...sale,
      saleIsOurs: sale.isOurs,
      acknowledged,
      acknowledgedTwice: recorder.acknowledgedTwice,
      quantity: QUANTITY,
      auditPatienceMs: prepared.options.auditPatienceMs,
      unknown: recorder.outcomes.count(isUnknown),
      soldOutAnswers: recorder.outcomes.countOf('sold-out'),
      shopperId: writer.shopperId,
      isOurShopper: shopperId => shopperId.startsWith(shopperPrefix),
    });
    return { checks, verified: true };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      checks: [check('answers held against the orders', false, `could not verify: ${reason}`)],
      verified: false,
    };
  }
}

function toReport(
  prepared: Run,
  { startedAt, result, usage }: Load,
  { checks, verified }: Verification,
): Report {
  const { options, plan, sale, recorder } = prepared;
  const outcomes = recorder.outcomes.list();
  const judged = options.scenario.judge({
    due: outcomes.reduce((sum, { count }) => sum + count, 0),
    outcomes: recorder.outcomes,
    unitsAtStart: sale?.unitsAtStart ?? 0,
    quantity: QUANTITY,
    refusedConnects: result.connections.refused,
    tolerateErrors: options.tolerateErrors,
  });
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
    interrupted: result.interrupted,
    givenUp: result.givenUp,
    elapsedMs: result.elapsedMs,
    throughput: throughputFigures(result, outcomes),
    latencyMs: latencyFigures(recorder, plan, result),
    outcomes,
    connections: result.connections,
    verdict: verdictOf([...judged, ...checks], verified),
    generator: usage,
  };
}

/** A sale that was made for this run is ended with it. That it cannot be ended says nothing about the verdict. */
async function endOwnSale({ shop, sale }: Run): Promise<void> {
  if (sale?.isOurs !== true) return;
  await shop.endSale(sale.saleId).catch((error: unknown) => {
    process.stderr.write(
      `Sale ${sale.saleId} was not ended: ${error instanceof Error ? error.message : error}\n`,
    );
  });
}
