import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../until.js';
import { endProcess } from './end-process.js';
import { findFreePort } from './free-port.js';
import { findProgram } from './programs.js';

export type PrometheusServer = {
  /** Its address, such as http://127.0.0.1:9090 */
  url: string;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
};

const startTimeoutMs = 60_000;

/**
 * A private Prometheus on a free port and in a temporary directory.
 *
 * @param config the text of its prometheus.yml, which may be JSON. Paths in it are absolute.
 */
export async function startPrometheus(config: string): Promise<PrometheusServer> {
  const program = findProgram('prometheus');
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-prometheus-'));
  const configFile = join(directory, 'prometheus.yml');
  await writeFile(configFile, config);
  const address = `127.0.0.1:${await findFreePort()}`;
  const child = spawn(
    program,
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let output = '';
  child.stderr.on('data', text => {
    output += text;
  });

  async function remove(): Promise<void> {
    await endProcess(child);
    await rm(directory, { recursive: true, force: true });
  }

  const url = `http://${address}`;
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}: ${output}`);
    return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
  };
  await until('Prometheus is ready', isReady, startTimeoutMs).catch(async error => {
    await remove();
    throw error;
  });
  return { url, remove };
}

/** Runs a check or test of promtool. @returns whether it succeeded, and its output. */
export async function promtool(
  args: readonly string[],
  options: { input?: string; cwd?: string } = {},
): Promise<{ isOk: boolean; output: string }> {
  const { status, stdout, stderr } = spawnSync(findProgram('promtool'), args, {
    encoding: 'utf8',
    ...options,
  });
  return { isOk: status === 0, output: `${stdout}${stderr}` };
}
