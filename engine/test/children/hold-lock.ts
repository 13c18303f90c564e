import { createInterface } from 'node:readline';
import { acquireDataDirLock } from '../../src/platform/embedded-postgres/data-dir-lock.js';
import { EmbeddedPostgresError } from '../../src/platform/embedded-postgres/postgres-errors.js';

// Tries to take the lock at each line of input, so that many contenders begin together. Once it has the lock, it
// holds it until its input ends.
const [dataDir = ''] = process.argv.slice(2);
console.log('waiting');
for await (const _word of createInterface({ input: process.stdin })) {
  try {
    await acquireDataDirLock(dataDir);
    console.log('won');
  } catch (error) {
    console.log(error instanceof EmbeddedPostgresError ? error.code : String(error));
  }
}
process.exit();
