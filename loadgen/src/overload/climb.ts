import { createDrive, type DriveResult } from '../drive/drive.js';
import type { Climb, Pace } from '../drive/pace.js';
import type { Run } from '../prepare.js';
import { type Curve, firstNormalSecond, type Phase, type StepFigures } from './curve.js';

export interface Climbed {
  readonly result: DriveResult;
  readonly curve: Curve;
}

const MULTIPLES = [1, 2, 5, 10] as const;
const RECOVERY_MS = 10_000;
// Enough connections to saturate a server, without a significant queue behind them.
const PROBE = { connections: 200, durationMs: 5_000 };
// A saturated server has no headroom. 1x must be a load that the server can carry all day.
const SUSTAINED_SHARE = 0.8;
// A shopper who cannot connect for this long gives up. A longer queue in the generator would outlive its step.
const QUEUED_MS = 100;

/** Climbs and comes back down. Each step has its own connections and ends with its last answer. */
export async function climb(
  run: Run,
  { ratePerSecond: given, stepMs }: Climb,
  onInterruptible: (interrupt: () => void) => void,
): Promise<Climbed> {
  const walk = createWalk(run, onInterruptible);
  const ratePerSecond = given ?? (await findRate(walk));
  const steps: StepFigures[] = [];
  let drainMs = 0;
  for (const multiple of MULTIPLES) {
    if (walk.isOver()) break;
    const rate = multiple * ratePerSecond;
    const pace: Pace = { kind: 'open', ratePerSecond: rate, durationMs: stepMs, queuedMs: QUEUED_MS };
    const { phase, result } = await walk.drive(pace, run.plan.connections);
    steps.push(figuresOf(multiple, rate, phase, result));
    drainMs = Math.max(0, result.elapsedMs - stepMs);
  }
  const backToNormalS = walk.isOver() ? null : await recover(walk, run, ratePerSecond, drainMs);
  const curve = { ratePerSecond, isFound: given === null, steps, backToNormalS };
  return { result: walk.total(), curve };
}

type Walk = ReturnType<typeof createWalk>;

async function findRate(walk: Walk): Promise<number> {
  const { connections, durationMs } = PROBE;
  const { phase, result } = await walk.drive({ kind: 'closed', requestsMax: null, durationMs }, connections);
  return Math.max(1, Math.floor((SUSTAINED_SHARE * phase.confirmed * 1000) / Math.max(1, result.elapsedMs)));
}

async function recover(walk: Walk, run: Run, ratePerSecond: number, drainMs: number): Promise<number | null> {
  const pace: Pace = { kind: 'open', ratePerSecond, durationMs: RECOVERY_MS, queuedMs: QUEUED_MS };
  const { phase } = await walk.drive(pace, run.plan.connections);
  const second = firstNormalSecond(phase, ratePerSecond);
  return second === null ? null : drainMs / 1000 + second;
}

/** Runs drives in sequence, numbering their requests continuously. */
function createWalk(run: Run, onInterruptible: (interrupt: () => void) => void) {
  const { options, traffic, phases } = run;
  if (phases === null) throw new Error('A climb needs a phase book.');
  const { recorder } = traffic;
  const results: DriveResult[] = [];
  let base = 0;
  let isInterrupted = false;

  async function drive(pace: Pace, connections: number): Promise<{ phase: Phase; result: DriveResult }> {
    const from = base;
    const one = createDrive(
      { ...options, connections, pace, write: ordinal => traffic.write(from + ordinal) },
      {
        onAnswer: (ordinal, ...rest) => recorder.onAnswer(from + ordinal, ...rest),
        onLost: (ordinal, ...rest) => recorder.onLost(from + ordinal, ...rest),
      },
    );
    onInterruptible(() => {
      isInterrupted = true;
      one.interrupt();
    });
    await one.open();
    const phase = phases?.begin();
    if (phase === undefined) throw new Error('A climb needs a phase book.');
    const result = await one.run();
    base += result.issued;
    results.push(result);
    return { phase, result };
  }

  return {
    drive,
    isOver: () => isInterrupted || results.some(({ givenUp }) => givenUp),
    total: () => totalOf(results),
  };
}

function totalOf(results: readonly DriveResult[]): DriveResult {
  const sum = (field: (result: DriveResult) => number) =>
    results.reduce((total, each) => total + field(each), 0);
  return {
    issued: sum(({ issued }) => issued),
    unsent: sum(({ unsent }) => unsent),
    overflowed: sum(({ overflowed }) => overflowed),
    elapsedMs: sum(({ elapsedMs }) => elapsedMs),
    interrupted: results.some(({ interrupted }) => interrupted),
    givenUp: results.some(({ givenUp }) => givenUp),
    connections: {
      opened: sum(({ connections }) => connections.opened),
      refused: sum(({ connections }) => connections.refused),
    },
  };
}

function figuresOf(multiple: number, ratePerSecond: number, phase: Phase, result: DriveResult): StepFigures {
  const { confirmed, refused, errors, admitted, refusals } = phase;
  const { issued, overflowed, elapsedMs } = result;
  return {
    multiple,
    ratePerSecond,
    elapsedMs,
    confirmed,
    refused,
    errors,
    sent: issued,
    notSent: overflowed,
    confirmedPerSecond: (confirmed * 1000) / Math.max(1, elapsedMs),
    admittedMs: { p50: admitted.percentileMs(50), p99: admitted.percentileMs(99) },
    refusedMs: { p50: refusals.percentileMs(50), p99: refusals.percentileMs(99) },
  };
}
