import { spawnSync } from 'node:child_process';
import { installFromDebian } from '../../drill/servers/debian.js';

/** Has Prometheus' own program look at what a scraper would be given. @returns what it finds wrong with it. */
export async function checkMetrics(text: string): Promise<string> {
  if (!isThere()) await installFromDebian('prometheus');
  if (!isThere())
    throw new Error('promtool is missing: install Prometheus (Debian: apt-get install prometheus)');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return status === 0 ? '' : `${stdout}${stderr}` || `it ended with ${status}`;
}

function isThere(): boolean {
  return spawnSync('promtool', ['--version']).error === undefined;
}
