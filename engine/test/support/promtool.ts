import { promtool } from '../../drill/servers/prometheus.js';

/** Runs Prometheus' own check on what a scraper would read. @returns what is wrong with it. */
export async function checkMetrics(text: string): Promise<string> {
  const { isOk, output } = await promtool(['check', 'metrics'], { input: text });
  return isOk ? '' : output || 'promtool failed without a message';
}
