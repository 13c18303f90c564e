import { promtool } from '../../drill/servers/prometheus.js';

/** Has Prometheus' own program look at what a scraper would be given. @returns what it finds wrong with it. */
export async function checkMetrics(text: string): Promise<string> {
  const { isOk, output } = await promtool(['check', 'metrics'], { input: text });
  return isOk ? '' : output || 'it is not content, and does not say why';
}
