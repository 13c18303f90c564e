import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import { apiKey, operatorToken } from './shop.js';

const generator = fileURLToPath(new URL('../../../loadgen/dist/main.js', import.meta.url));

const reportSchema = z.object({
  throughput: z.object({ answered: z.number(), requestsPerSecond: z.number() }),
  outcomes: z.array(z.object({ status: z.number().nullable(), slug: z.string(), count: z.number() })),
});

export type Load = { ratePerSecond: number; durationS: number };

/**
 * Sends purchases of a drop from the load generator, at the requested rate or as fast as the machine allows. The
 * generator judges nothing here: the test looks at what the pages do meanwhile.
 */
export async function startLoad(productId: number, { ratePerSecond, durationS }: Load) {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-load-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const reportFile = join(directory, 'report.json');
  const options = {
    scenario: 'constant',
    url: inject('shopUrl'),
    'product-id': productId,
    json: reportFile,
    rate: ratePerSecond,
    duration: durationS,
    'api-key': apiKey,
    'operator-token': operatorToken,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [generator, ...args, '--no-verify', '--tolerate-errors', '--quiet'], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill());
  const ended = once(child, 'exit');
  return {
    /** Ends it early: a slow machine would keep sending overdue requests for a long time. */
    async end() {
      child.kill('SIGINT');
      await ended;
      return reportSchema.parse(JSON.parse(await readFile(reportFile, 'utf8')));
    },
  };
}
