import { acquireDataDirLock } from '../../src/platform/embedded-postgres/data-dir-lock.js';
import { EmbeddedPostgresError } from '../../src/platform/embedded-postgres/errors.js';

// Waits for a word, so that many contenders begin together; then holds the lock, if it got it, until input ends.
const [dataDir = ''] = process.argv.slice(2);
const input = process.stdin[Symbol.asyncIterator]();
console.log('waiting');
await input.next();
try {
  await acquireDataDirLock(dataDir);
  console.log('won');
} catch (error) {
  console.log(error instanceof EmbeddedPostgresError ? error.code : String(error));
}
await input.next();
process.exit();
