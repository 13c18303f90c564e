import { describe, expect, it } from 'vitest';
import { until } from './support/condition.js';
import { createDataDir, runTool, startApiOnDataDir, startEngine } from './support/engine.js';
import { descendantsOf, stillRunning } from './support/process-table.js';

const leftAtMostMs = 5000;

describe('a process that has ended, for whatever reason', () => {
  it('leaves nothing running after 5 s: kill -9 of start ends its PostgreSQL and its web process', async () => {
    const dataDir = await createDataDir();
    const engine = await startEngine(dataDir, { WEB_ENABLED: 'true' });
    const family = descendantsOf(engine.pid);
    expect(family.filter(({ command }) => command.includes('postgres -D'))).toHaveLength(1);
    expect(family.filter(({ command }) => command.includes('serve.mjs'))).toHaveLength(1);
    await engine.kill('SIGKILL');
    await until('nothing is left running', () => stillRunning(family).length === 0, leftAtMostMs);

    // The server was shut down, not killed: the next start does not find it running and needs no recovery.
    const again = await startEngine(dataDir);
    expect(again.output()).not.toMatch(/left behind|recovering/);
    expect(await again.kill('SIGTERM')).toBe(0);
  }, 90_000);

  it('leaves nothing running after 5 s: kill -9 of api --processes ends its children and its PostgreSQL', async () => {
    const engine = await startApiOnDataDir(2, await createMigratedDir());
    const family = descendantsOf(engine.pid);
    expect(family.filter(({ command }) => command.endsWith('main.js api'))).toHaveLength(2);
    await engine.kill('SIGKILL');
    await until('nothing is left', () => stillRunning(family).length === 0, leftAtMostMs);
  }, 90_000);

  it('stops its children and its PostgreSQL when it gives up after too many of its children have died', async () => {
    const engine = await startApiOnDataDir(2, await createMigratedDir());
    const children = () => descendantsOf(engine.pid).filter(({ command }) => command.endsWith('main.js api'));
    const server = descendantsOf(engine.pid).filter(({ command }) => command.includes('postgres'));
    expect(server.length).toBeGreaterThan(5);
    await until(
      'it gives up',
      () => {
        for (const { pid } of children()) killIfThere(pid);
        return engine.output().includes('died within a minute');
      },
      30_000,
    );
    expect(await engine.ended).toBe(1);
    expect(stillRunning(server)).toEqual([]);
    expect(children()).toEqual([]);
  }, 90_000);
});

async function createMigratedDir(): Promise<string> {
  const dataDir = await createDataDir();
  expect((await runTool(['migrate'], dataDir)).code).toBe(0);
  return dataDir;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended since the listing.
  }
}
