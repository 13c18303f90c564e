import { sleep } from '../dist/platform/backoff.js';
import { runTool } from './engine-process.js';
import { type Audit, auditSchema } from './judge.js';

// Attempts are written asynchronously, within 5 s of their answers.
const attemptsInvariant = 13;
const triesMax = 5;
const againAfterMs = 1000;

/** Runs the audit as an operator does. Repeats it while only attempts are missing that may still be written. */
export async function runAudit(env: NodeJS.ProcessEnv, args: readonly string[] = []): Promise<Audit> {
  for (let tries = 1; ; tries++) {
    const { exitCode, stdout, stderr } = await runTool(['audit', '--json', ...args], env);
    if (stdout === '') throw new Error(`doorbuster audit ended with ${exitCode}:\n${stderr}`);
    const audit = auditSchema.parse(JSON.parse(stdout));
    const broken = audit.invariants.filter(({ violations }) => violations > 0);
    if (tries === triesMax || broken.every(({ id }) => id !== attemptsInvariant)) {
      return { ...audit, ok: audit.ok && exitCode === 0 };
    }
    await sleep(againAfterMs);
  }
}
