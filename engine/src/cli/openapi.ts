import { describeApi } from '../app/describe.js';

/** /openapi.json, for those who lint it or build upon it without an engine that runs. */
export async function printDescription(): Promise<void> {
  process.stdout.write(`${JSON.stringify(await describeApi(), null, 2)}\n`);
}
