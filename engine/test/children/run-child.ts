import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

export type Child = {
  pid: number;
  /** The next line the child prints; rejects after 60 s, or if the child ends first. */
  nextLine(): Promise<string>;
  writeLine(line: string): void;
  /** Closes its standard input, which ends the scripts here, and waits for its exit. */
  finish(): Promise<void>;
  kill(): Promise<void>;
};

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const lineTimeoutMs = 60_000;

/** Runs a script of this folder as a process in its own process group, as a shell would. */
export function runChild(script: string, ...args: string[]): Child {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--import', tsx, path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  if (child.pid === undefined) throw new Error(`${path} could not be started`);
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    pid: child.pid,
    async nextLine() {
      const timeout = AbortSignal.timeout(lineTimeoutMs);
      const late = once(timeout, 'abort').then(() => Promise.reject(new Error(`${script} prints nothing`)));
      const line = await Promise.race([lines.next(), late]);
      if (line.done === true) throw new Error(`${script} ended`);
      return line.value;
    },
    writeLine(line) {
      child.stdin.write(`${line}\n`);
    },
    async finish() {
      child.stdin.end();
      await ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
