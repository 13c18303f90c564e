import { parseOptions } from '../cli.js';
import type { Report } from '../report.js';
import { run } from '../run.js';
import { API_KEY, OPERATOR_TOKEN, startFakeShop } from './fake-shop.js';
import type { Faults } from './faults.js';

interface Judged extends Report {
  /** What the shop observed. */
  readonly seen: { readonly keys: number; readonly endedSales: readonly number[] };
}

/** Runs the load generator once against a shop with these faults. */
export async function runAgainst(faults: Faults, ...args: string[]): Promise<Judged> {
  const shop = await startFakeShop(faults);
  try {
    const given = ['--url', shop.url, '--api-key', API_KEY, '--operator-token', OPERATOR_TOKEN, '--quiet'];
    const options = parseOptions([...given, ...args], { env: {}, directory: '/nowhere', writeOut: () => {} });
    if (options === null) throw new Error('expected a run, not --help');
    const report = await run(options, () => {});
    return { ...report, seen: { keys: shop.keysSeen.size, endedSales: shop.endedSales } };
  } finally {
    await shop.stop();
  }
}

/** The names of the failed checks of the verdict. */
export function failed(report: Report): string[] {
  return report.verdict.checks.filter(each => !each.ok).map(each => each.name);
}
