import { once } from 'node:events';
import pino from 'pino';
import { startSandbox } from '../../src/payments/sandbox/start-sandbox.js';

// A standalone sandbox: prints its address, and stops when its input ends.
const [dataFile = '', apiKey = ''] = process.argv.slice(2);
const logger = pino({ level: 'silent' });
const sandbox = await startSandbox({
  host: '127.0.0.1',
  port: 0,
  dataFile,
  webhook: undefined,
  apiKey,
  logger,
});
console.log(sandbox.url);
process.stdin.resume();
await once(process.stdin, 'end');
await sandbox.close();
process.exit();
