import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for an embedded database. */
export function makeDataDirectory(purpose: string, parent = tmpdir()): string {
  const directory = mkdtempSync(join(parent, `doorbuster-${purpose}-`));
  // When root runs this, the database server runs as another user, who must be able to enter this directory; its
  // cluster stays in it.
  chmodSync(directory, 0o711);
  return directory;
}
