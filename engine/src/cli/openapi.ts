import { describeApi } from '../app/describe.js';

/** Prints /openapi.json, so that it can be linted or built upon without a running engine. */
export async function printDescription(): Promise<void> {
  process.stdout.write(`${JSON.stringify(await describeApi(), null, 2)}\n`);
}
