import { join } from 'node:path';
import { endsWithin } from '../dist/platform/backoff.js';
import { messageOf } from '../dist/platform/errors.js';
import { runAudit } from './audit.js';
import type { Cluster } from './cluster.js';
import type { Fault } from './faults.js';
import { judge, type Verdict } from './judge.js';
import { type LoadReport, runLoad, type ScenarioName } from './load.js';
import type { Probe } from './probe.js';

export type Drill = {
  scenario: ScenarioName;
  fault: Fault;
  isQuick: boolean;
  /** How long after the load the engine's audit may report a breach before it counts. */
  auditWithinS: number;
  /** From 0 to 1: the share of units that is taken when the fault strikes. */
  strikeAt: number;
};

export type DrillResult = Verdict & {
  scenario: ScenarioName;
  fault: string;
  requests: number;
  /** Null if there was nothing to recover from, or no recovery. */
  recoveredMs: number | null;
  gateAgreedMs: number | null;
};

/** One load on the cluster, one fault in the middle, and the verdict. */
export async function runDrill(
  cluster: Cluster,
  probe: Probe,
  drill: Drill,
  say: (message: string) => void,
): Promise<DrillResult> {
  const { scenario, fault, isQuick, auditWithinS, strikeAt } = drill;
  const journalFile = join(cluster.directory, 'acknowledged.ndjson');
  const saleBefore = await newestSale(cluster);
  const load = runLoad(cluster, { scenario, isQuick, isFelt: fault.isFelt, auditWithinS, journalFile });
  const disturbed = disturb(cluster, probe, fault, load, () => shareGone(cluster, saleBefore, strikeAt), say);
  const [report, recovery] = await Promise.all([load, disturbed]);
  say(`${report.throughput.requests} requests in ${Math.round(report.elapsedMs)} ms; auditing`);
  const gateAgreement = await probe.untilGateAgrees(report.sale.saleId).catch(messageOf);
  const audit = await runAudit(cluster.env, ['--acknowledged', journalFile]);
  return {
    scenario,
    fault: fault.name,
    requests: report.throughput.requests,
    recoveredMs: typeof recovery === 'number' ? recovery : null,
    gateAgreedMs: typeof gateAgreement === 'number' ? gateAgreement : null,
    ...judge({ report, audit, recovery, gateAgreement }),
  };
}

/** @returns how long the engine took to recover, or why it did not; null without a fault. */
async function disturb(
  cluster: Cluster,
  probe: Probe,
  fault: Fault,
  load: Promise<LoadReport>,
  isTime: () => Promise<boolean>,
  say: (message: string) => void,
): Promise<number | string | null> {
  if (fault.name === 'none') return null;
  const loadIsOver = load.catch(() => {});
  while (!(await isTime())) {
    // The polls are spread out so that they do not slow down the purchases.
    if (await endsWithin(loadIsOver, lookEveryMs)) return 'the load was over before the fault could strike';
  }
  say(`${fault.name} strikes`);
  try {
    await fault.strike(cluster, { loadIsOver, probe, say });
    say('the fault is over');
    return await probe.untilRecovered(fault.isHealed);
  } catch (error) {
    return messageOf(error);
  }
}

const lookEveryMs = 2;

async function newestSale({ pool }: Cluster): Promise<number> {
  const { rows } = await pool.query<{ saleId: number }>(
    'select coalesce(max(sale_id), 0) as "saleId" from sales',
  );
  return rows[0]?.saleId ?? 0;
}

/** Whether that share of the units of the sale created after `saleId` is taken. */
async function shareGone({ pool }: Cluster, saleId: number, share: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    'select from stock where sale_id > $1 and available <= allocation * (1 - $2::float8) and available < allocation',
    [saleId, share],
  );
  return rowCount === 1;
}
