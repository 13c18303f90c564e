import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

// Debian installs servers in a folder that is not on the PATH of ordinary users.
const systemFolder = '/usr/sbin';

/** The path of a program, in one of `first` or on the PATH. @throws with the command that says how to install it. */
export function findProgram(name: string, first: readonly string[] = []): string {
  const folders = [...first, ...(process.env.PATH ?? '').split(delimiter), systemFolder];
  const path = folders.map(folder => join(folder, name)).find(existsSync);
  if (path !== undefined) return path;
  throw new Error(`${name} is not installed: "node scripts/programs.mjs" says how to install it`);
}
