import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

// Debian has a folder for each architecture beside those of other packages.
const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib'];
// The variant for programs with threads.
const file = 'faketime/libfaketimeMT.so.1';

/** The library that shows a program another time of day, loaded with LD_PRELOAD. @throws if it is not installed. */
export function findFaketime(): string {
  const found = folders
    .filter(existsSync)
    .flatMap(folder => ['.', ...readdirSync(folder)].map(inner => join(folder, inner, file)))
    .find(existsSync);
  if (found !== undefined) return found;
  throw new Error('libfaketime is not installed: "node scripts/programs.mjs" says how to install it');
}
