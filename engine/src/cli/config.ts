import { describeConfig, readConfig } from '../platform/config.js';

export function printConfig(): void {
  process.stdout.write(`${describeConfig(readConfig(process.env))}\n`);
}
