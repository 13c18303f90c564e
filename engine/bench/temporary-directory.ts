import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory for one run. */
export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'doorbuster-bench-'));
}

/** A new directory for an embedded database. */
export function makeDataDirectory(): string {
  const dataDir = makeTemporaryDirectory();
  // When root runs this, the database server runs as another user, who must be able to enter this directory.
  chmodSync(dataDir, 0o711);
  return dataDir;
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
