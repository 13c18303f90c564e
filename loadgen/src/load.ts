import { writeFileSync } from 'node:fs';
import { parseOptions } from './cli.js';
import { LoadFailure } from './failure.js';
import { listenForInterrupt } from './interrupt.js';
import { endWithParent, tellParent } from './parent.js';
import type { Report } from './report.js';
import { reportText } from './report-text.js';
import { run } from './run.js';

const VERDICT_HOLDS = 0;
const VERDICT_FAILS = 1;
const NOT_RUN = 2;
const INTERRUPTED = 130;

/** The whole command: parses the arguments, runs, prints the report. Returns the exit code. */
export async function load(args: readonly string[]): Promise<number> {
  // Until a load runs that needs a graceful end, a signal ends the process as usual.
  let interrupt = (): void => process.exit(INTERRUPTED);
  const stopListening = listenForInterrupt(
    () => interrupt(),
    () => process.exit(INTERRUPTED),
  );
  endWithParent(() => process.exit(INTERRUPTED));
  try {
    const writeOut = (text: string) => process.stdout.write(text);
    const options = parseOptions(args, { env: process.env, directory: process.cwd(), writeOut });
    if (options === null) return VERDICT_HOLDS;
    const report = await run(options, endLoad => {
      interrupt = endLoad;
    });
    process.stdout.write(reportText(report));
    await tellParent({ kind: 'report', report });
    if (options.jsonFile !== null) writeReport(options.jsonFile, report);
    return exitCodeOf(report, options.verify);
  } catch (error) {
    if (!(error instanceof LoadFailure)) throw error;
    process.stderr.write(`${error.message}\nSee npm run load -- --help\n`);
    return NOT_RUN;
  } finally {
    stopListening();
  }
}

function exitCodeOf({ verdict, interrupted }: Report, verifyWanted: boolean): number {
  if (interrupted && verifyWanted && !verdict.verified) return INTERRUPTED;
  return verdict.result === 'fail' ? VERDICT_FAILS : VERDICT_HOLDS;
}

function writeReport(file: string, report: Report): void {
  try {
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoadFailure('usage', `--json ${file}: expected a writable file. ${reason}`);
  }
}
