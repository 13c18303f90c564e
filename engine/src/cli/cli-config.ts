import { describeConfig, readConfig } from '../platform/config/config.js';
import { describeSettings } from '../platform/config/reference.js';

/** Prints the settings in force, or the reference of all settings, in Markdown. */
export function printConfig({ reference = false }: { reference?: boolean }): void {
  process.stdout.write(reference ? describeSettings() : `${describeConfig(readConfig(process.env))}\n`);
}
