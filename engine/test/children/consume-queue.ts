import { codeOf } from '../../src/platform/errors.js';
import { createPool } from '../../src/platform/postgres.js';
import { createPostgresQueue } from '../../src/queue/postgres-queue.js';
import { testConfig } from '../support/config.js';

// A small worker: writes the order ids it receives into the table `effects` and prints one line per batch. From
// batch `batchesMax` on it waits for a line of input before it settles, so that it always has work left when it is
// killed.
const [databaseUrl = '', leaseMs, batchMax, batchesMax] = process.argv.slice(2);
const pool = createPool(databaseUrl, testConfig());
const queue = createPostgresQueue({ pool, leaseMs: Number(leaseMs) });
const input = process.stdin[Symbol.asyncIterator]();
let batches = 0;

queue.consume({
  batchMax: Number(batchMax),
  onError: error => console.log(codeOf(error) ?? String(error)),
  async handle(deliveries) {
    const orderIds = deliveries.map(({ message }) => message.orderId);
    await pool.query('insert into effects select unnest($1::uuid[]) on conflict do nothing', [orderIds]);
    batches += 1;
    console.log('batch');
    if (batches >= Number(batchesMax) && (await input.next()).done === true) process.exit();
    return deliveries.map(() => 'done');
  },
});
