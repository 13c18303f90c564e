import { describeConfig, readConfig } from '../platform/config/config.js';

export function printConfig(): void {
  process.stdout.write(`${describeConfig(readConfig(process.env))}\n`);
}
