import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runLoadgen } from './run-loadgen.js';
import { credentials, type Server, type Subject } from './servers.js';
import { makeTemporaryDirectory, removeDirectory } from './temporary-directory.js';

/**
 * One run of one subject. Rates per second, latency in ms. `errors` counts answers that the scenario does not expect.
 */
export type Measurement = {
  subject: Subject;
  scenario: string;
  connections: number;
  generator: 'loadgen' | 'wrk';
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  errors: number;
  /** Those errors by status and slug, as far as the generator distinguishes them. */
  unexpected?: string[];
  /** The load generator's own verdict; undefined for wrk, which gives none. */
  verdict?: 'pass' | 'fail' | 'none';
  generatorCpuShare?: number;
};

export type Work = {
  scenario: 'sellout' | 'throughput';
  connections: number;
  requests?: number;
  durationS?: number;
  /** Whether each request has an Idempotency-Key, as those of real clients do. */
  keys: boolean;
};

const runTimeoutMs = 10 * 60_000;

const reportSchema = z.object({
  throughput: z.object({ requestsPerSecond: z.number() }),
  latencyMs: z.object({ service: z.object({ p50: z.number(), p99: z.number() }) }),
  outcomes: z.array(
    z.object({ status: z.number().nullable(), slug: z.string().nullable(), count: z.number() }),
  ),
  verdict: z.object({ result: z.enum(['pass', 'fail', 'none']) }),
  generator: z.object({ cpuShare: z.number() }),
});

/** Runs our own generator against a subject. A server without a shop gets the same bodies and no verdict. */
export async function measureWithLoadgen(
  subject: Subject,
  { url }: Server,
  work: Work,
): Promise<Measurement> {
  const scenario = subject === 'null-handler' ? ['raw', '--path', '/api/purchase'] : [work.scenario];
  const amount = work.requests
    ? ['--requests', String(work.requests)]
    : ['--duration', String(work.durationS)];
  const args = [
    '--scenario',
    ...scenario,
    '--url',
    url,
    '--connections',
    String(work.connections),
    ...amount,
  ];
  const report = await runLoadgen([...args, ...(work.keys ? [] : ['--no-keys'])], reportSchema);
  const isExpected = (status: number | null) =>
    status === 200 || (work.scenario === 'sellout' && status === 409);
  const unexpected = report.outcomes.filter(({ status }) => !isExpected(status));
  return {
    subject,
    scenario: work.scenario,
    connections: work.connections,
    generator: 'loadgen',
    requestsPerSecond: report.throughput.requestsPerSecond,
    p50Ms: report.latencyMs.service.p50,
    p99Ms: report.latencyMs.service.p99,
    errors: unexpected.reduce((sum, { count }) => sum + count, 0),
    unexpected: unexpected.map(({ status, slug, count }) => `${count} x ${status ?? '-'} ${slug ?? ''}`),
    verdict: report.verdict.result,
    generatorCpuShare: report.generator.cpuShare,
  };
}

/** wrk is a leaner generator. If it is installed, it generates the same load in addition. */
export function hasWrk(): boolean {
  return spawnSync('wrk', ['--version']).error === undefined;
}

/** @param productId a product with enough stock (throughput) or none left (sellout); ignored by the null handler. */
export async function measureWithWrk(
  subject: Subject,
  server: Server,
  work: Work,
  productId: number,
): Promise<Measurement> {
  const directory = makeTemporaryDirectory();
  const script = join(directory, 'purchase.lua');
  writeFileSync(script, luaScript(productId, work.keys));
  const { connections, durationS = 8 } = work;
  const args = [
    '-t1',
    `-c${connections}`,
    `-d${durationS}`,
    '--timeout',
    '10',
    '--latency',
    '-s',
    script,
    server.url,
  ];
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: runTimeoutMs });
  let text = '';
  child.stdout.on('data', chunk => {
    text += chunk;
  });
  await once(child, 'close');
  removeDirectory(directory);
  return { subject, scenario: work.scenario, connections, generator: 'wrk', ...readWrk(text, work.scenario) };
}

function luaScript(productId: number, keys: boolean): string {
  return `
    local count = 0
    local run = ${Date.now()}
    local headers = { ['content-type'] = 'application/json', ['authorization'] = 'Bearer ${credentials.API_KEY}' }
    request = function()
      count = count + 1
      ${keys ? "headers['idempotency-key'] = 'wrk-' .. run .. '-' .. count" : ''}
      local body = '{"productId":${productId},"userId":"wrk-' .. run .. '-' .. count .. '","quantity":1}'
      return wrk.format('POST', '/api/purchase', headers, body)
    end`;
}

function readWrk(text: string, scenario: Work['scenario']) {
  const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  const milliseconds = (percentile: string) => {
    const [, value, unit] = new RegExp(`${percentile}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? [];
    return Number(value) * ({ us: 0.001, ms: 1, s: 1000 }[unit ?? ''] ?? Number.NaN);
  };
  const [, connect = 0, read = 0, write = 0, timeout = 0] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  // wrk counts a 409 as an error, but in a sellout it is the expected answer.
  const refused = scenario === 'sellout' ? 0 : Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds('50'),
    p99Ms: milliseconds('99'),
    errors: refused + [connect, read, write, timeout].map(Number).reduce((sum, count) => sum + count, 0),
  };
}
