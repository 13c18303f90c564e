import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for an embedded database. */
export function makeDataDirectory(purpose: string, parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, `doorbuster-${purpose}-`));
  // Run by root, the database server is another user; it may pass through, and its cluster stays in here.
  chmodSync(directory, 0o711);
  return directory;
}
