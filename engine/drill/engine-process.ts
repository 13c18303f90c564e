import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endProcess, hasEnded } from './servers/end-process.js';
import { until } from './until.js';

/** One command of the engine's CLI, as users run it. */
export type EngineProcess = {
  pid: number;
  /** Its output so far, limited to the last 100,000 characters. */
  output(): string;
  /** Waits for output that matches. @throws if the process ends first, or after `timeoutMs`. */
  says(pattern: RegExp, timeoutMs?: number): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<number | null>;
};

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const outputLengthMax = 100_000;
// A start takes a second, but minutes on a busy machine.
const startTimeoutMs = 180_000;

export function spawnEngine(args: readonly string[], env: NodeJS.ProcessEnv): EngineProcess {
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: Buffer) => {
    output = `${output}${text}`.slice(-outputLengthMax);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const name = `doorbuster ${args.join(' ')}`;
  return {
    pid: child.pid ?? 0,
    output: () => output,
    async says(pattern, timeoutMs = startTimeoutMs) {
      await until(
        `${name} says ${pattern}`,
        () => {
          if (pattern.test(output)) return true;
          if (hasEnded(child)) throw new Error(`${name} ended with ${child.exitCode}:\n${output}`);
          return false;
        },
        timeoutMs,
      );
    },
    async kill(signal) {
      await endProcess(child, signal);
      return child.exitCode;
    },
  };
}

/** Runs a tool of the CLI to its end. */
export async function runTool(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', text => {
    said.stdout += text;
  });
  child.stderr.on('data', text => {
    said.stderr += text;
  });
  await once(child, 'close');
  return { exitCode: child.exitCode, ...said };
}
