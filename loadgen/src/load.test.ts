import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { API_KEY, type FakeShop, OPERATOR_TOKEN, startFakeShop } from './fake-shop/fake-shop.js';
import type { Faults } from './fake-shop/faults.js';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
let shop: FakeShop;
let directory: string;
let child: ChildProcess | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'load-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await shop.stop();
  rmSync(directory, { recursive: true });
});

describe('the command', () => {
  it('exits 0 when the verdict holds, and writes report and journal', async () => {
    const { code, out } = await runMain({}, [
      '--scenario',
      'race',
      '--json',
      file('r.json'),
      '--journal',
      file('j'),
    ]);
    expect(out).toContain("Verdict: PASS (answers and the server's orders)");
    expect(code).toBe(0);
    const report: unknown = JSON.parse(readFileSync(file('r.json'), 'utf8'));
    expect(report).toMatchObject({
      schema: 'doorbuster-load/1',
      scenario: 'race',
      settings: { shoppers: 100, units: 50, purchases: 1 },
      sale: { productId: 7, saleId: 3, unitsAtStart: 50 },
      throughput: { requests: 100, answered: 100, confirmed: 50 },
      verdict: { result: 'pass', verified: true },
    });
    const lines = journalLines();
    expect(new Set(lines.map(line => Object(line).orderId)).size).toBe(50);
    expect(lines[0]).toEqual({
      orderId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      productId: 7,
      shopperId: expect.stringMatching(/^load-[0-9a-f]{10}-\d{9}$/),
      quantity: 1,
      idempotencyKey: expect.stringMatching(/^[0-9a-f]{10}-\d{9}$/),
    });
  });

  it('exits 1 when the verdict fails', async () => {
    const { code, out } = await runMain({ loseEvery: 9 }, ['--scenario', 'race']);
    expect(out).toMatch(/FAIL {2}no acknowledged order lost/);
    expect(code).toBe(1);
  });

  it('exits 2 when the operator token is wrong', async () => {
    const { code, error } = await runMain({}, ['--scenario', 'race', '--operator-token', 'wrong']);
    expect(error).toContain('answered 401 unauthorized');
    expect(code).toBe(2);
  });

  it('shuts down gracefully on SIGTERM: journal complete, verified, reported', {
    timeout: 15_000,
  }, async () => {
    shop = await startFakeShop();
    const running = startMain(shop.url, [
      '--scenario',
      'throughput',
      '--duration',
      '60',
      '--journal',
      file('j'),
    ]);
    await until(() => shop.arrived > 200);
    // The journal must be readable during the run: a test may kill another process meanwhile.
    await until(() => journalLines().length > 100);
    child?.kill('SIGTERM');
    const { code, out } = await running;
    expect(out).toContain('(interrupted)');
    expect(out).toContain('Verdict: PASS');
    expect(code).toBe(0);
    expect(journalLines()).toHaveLength(shop.arrived);
  });

  it('exits 130 when it is interrupted and the server is down', { timeout: 15_000 }, async () => {
    shop = await startFakeShop();
    const running = startMain(shop.url, [
      '--scenario',
      'throughput',
      '--duration',
      '60',
      '--reconnect-for',
      '0.5',
    ]);
    await until(() => shop.arrived > 200);
    child?.kill('SIGTERM');
    await shop.stop();
    const { code, out } = await running;
    expect(out).toContain('could not verify');
    expect(code).toBe(130);
  });
});

function file(name: string): string {
  return join(directory, name);
}

function journalLines(): unknown[] {
  try {
    const text = readFileSync(file('j'), 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
  } catch {
    return [];
  }
}

async function runMain(faults: Faults, args: string[]) {
  shop = await startFakeShop(faults);
  return startMain(shop.url, args);
}

async function startMain(url: string, args: string[]) {
  const env = { ...process.env, API_KEY, OPERATOR_TOKEN };
  const all = ['--import', 'tsx', MAIN, '--url', url, '--quiet', ...args];
  const started = spawn(process.execPath, all, { env });
  child = started;
  let out = '';
  let error = '';
  started.stdout.on('data', chunk => {
    out += chunk;
  });
  started.stderr.on('data', chunk => {
    error += chunk;
  });
  const code = await new Promise(resolve => started.on('close', resolve));
  return { code, out, error };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 8_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error('The condition was not met within 8 s.');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
