import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ASSET_FILE } from '@aws-cdk/asset-kubectl-v20';
import { unzipSync } from 'fflate';

export type Helm = {
  /** Runs Helm with these arguments. @throws with Helm's message when it fails. */
  run(...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
};

/** Helm itself. For Linux on x64, npm installs it inside a package for AWS Lambda; elsewhere it must be on the PATH. */
export async function openHelm(): Promise<Helm> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { run: runner('helm'), close: async () => {} };
  }
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-helm-'));
  const program = join(directory, 'helm');
  const packed = 'helm/helm';
  const unpacked = unzipSync(await readFile(ASSET_FILE), { filter: ({ name }) => name === packed })[packed];
  if (!unpacked) throw new Error(`${ASSET_FILE} has no ${packed}`);
  await writeFile(program, unpacked);
  await chmod(program, 0o755);
  return { run: runner(program), close: () => rm(directory, { recursive: true, force: true }) };
}

function runner(program: string): Helm['run'] {
  return async (...args) => {
    const { stdout } = await promisify(execFile)(program, args, { timeout: 30_000, maxBuffer: 2 ** 24 });
    return stdout;
  };
}
