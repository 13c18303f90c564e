import { describeConfig, readConfig } from '../platform/config/config.js';
import { describeSettings } from '../platform/config/reference.js';

/** The settings in force, or what each of them means, in Markdown. */
export function printConfig({ reference = false }: { reference?: boolean }): void {
  process.stdout.write(reference ? describeSettings() : `${describeConfig(readConfig(process.env))}\n`);
}
