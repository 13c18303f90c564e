import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { run } from './run.js';

const here = { user: undefined, cwd: '/', timeoutMs: 30_000 };

test('a program that cannot be started leaves no timer that keeps the process alive', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-run-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const notExecutable = join(directory, 'program');
  await writeFile(notExecutable, '', { mode: 0o600 });
  const timers = () => process.getActiveResourcesInfo().filter(resource => resource === 'Timeout').length;
  const before = timers();

  await expect(run(notExecutable, [], here)).rejects.toMatchObject({ code: 'EACCES' });

  expect(timers()).toBeLessThanOrEqual(before);
});

test('a program that does not end in time is killed', async () => {
  const { exitCode } = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    ...here,
    timeoutMs: 200,
  });
  expect(exitCode).toBeNull();
});
