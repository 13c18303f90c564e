import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for an embedded database. */
export function makeDataDirectory(purpose: string, parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, `doorbuster-${purpose}-`));
  // When run by root, the database server is another user, which may traverse this directory; its cluster stays in it.
  chmodSync(directory, 0o711);
  return directory;
}
