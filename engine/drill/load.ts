import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Cluster, credentials } from './cluster.js';

export const scenarioNames = ['race', 'sellout', 'mixed'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** The load generator's report of its run. Fields are undefined if it could not ask the engine. */
export type LoadReport = z.infer<typeof reportSchema>;

const loadgen = fileURLToPath(new URL('../../loadgen/dist/main.js', import.meta.url));

// Each lasts long enough for a fault to strike in the middle: seconds on two processors. The quick ones are for tests.
const sizes: Record<ScenarioName, { full: string[]; quick: string[] }> = {
  race: { full: ['--shoppers', '2000', '--units', '1000'], quick: ['--shoppers', '400', '--units', '200'] },
  sellout: {
    full: ['--requests', '200000', '--connections', '500', '--units', '20000'],
    quick: ['--requests', '10000', '--connections', '100', '--units', '3000'],
  },
  mixed: {
    full: ['--requests', '60000', '--connections', '200', '--units', '20000'],
    quick: ['--requests', '4000', '--connections', '50', '--units', '1500'],
  },
};

const countsSchema = z.object({
  lost: z.number(),
  altered: z.number(),
  duplicated: z.number(),
  oversold: z.number(),
  stuck: z.number(),
});

const reportSchema = z.object({
  sale: z.object({ saleId: z.number() }),
  elapsedMs: z.number(),
  throughput: z.object({ requests: z.number(), requestsPerSecond: z.number() }),
  damage: countsSchema.nullable(),
  verdict: z.object({
    result: z.enum(['pass', 'fail', 'none']),
    checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  }),
});

export type LoadOptions = {
  scenario: ScenarioName;
  isQuick: boolean;
  /** Lost connections, timeouts and 503 do not count as faults. */
  isFelt: boolean;
  /** How long after the load the engine's audit may report a breach before it counts. */
  auditWithinS: number;
  /** The file for the orders answered as confirmed, one per line. */
  journalFile: string;
};

/**
 * Loads the cluster through a new sale and lets the load generator judge it: a separate process that knows only the
 * engine's API.
 *
 * @throws if the run could not take place. A failed verdict is a result.
 */
export async function runLoad({ url, directory }: Cluster, options: LoadOptions): Promise<LoadReport> {
  const { scenario, isQuick, isFelt, auditWithinS, journalFile } = options;
  const file = join(directory, 'report.json');
  const args = [
    ...['--scenario', scenario, ...sizes[scenario][isQuick ? 'quick' : 'full']],
    ...['--url', url, '--json', file, '--journal', journalFile, '--quiet'],
    ...['--audit-within', String(auditWithinS)],
    ...(isFelt ? ['--tolerate-errors'] : []),
  ];
  const child = spawn(process.execPath, [loadgen, ...args], {
    env: { ...process.env, ...credentials },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Otherwise it would keep waiting for its server to come back.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let said = '';
  child.stderr.on('data', text => {
    said += text;
  });
  await once(child, 'close');
  process.off('exit', end);
  if (child.exitCode !== 0 && child.exitCode !== 1) {
    throw new Error(`the load generator ended with ${child.exitCode}:\n${said}`);
  }
  return reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}
