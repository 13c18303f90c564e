/** What a scraper reads from an engine. */
export async function scrape(metricsUrl: string | undefined): Promise<string> {
  if (metricsUrl === undefined) throw new Error('there are no metrics');
  const response = await fetch(metricsUrl);
  if (response.status !== 200) throw new Error(`the metrics are answered with ${response.status}`);
  return response.text();
}

/** The value of one series; undefined if there is none. @param series as in the text, with its labels. */
export function seriesValue(text: string, series: string): number | undefined {
  const line = text.split('\n').find(one => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

/** The series of one metric. */
export function seriesOf(text: string, name: string): string[] {
  return text.split('\n').filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}
