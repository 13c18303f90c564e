import { createRabbitmqQueue } from '../../src/queue/rabbitmq-queue.js';

// A small worker: prints the order ids of each batch as a line of JSON, and settles the batch when it reads a line.
const [url = '', namespace = '', batchMax] = process.argv.slice(2);
const queue = createRabbitmqQueue({ url, namespace, timeoutMs: 10_000 });
const input = process.stdin[Symbol.asyncIterator]();

queue.consume({
  batchMax: Number(batchMax),
  onError: error => console.error(error),
  async handle(deliveries) {
    console.log(JSON.stringify(deliveries.map(({ message }) => message.orderId)));
    if ((await input.next()).done === true) process.exit();
    return deliveries.map(() => 'done');
  },
});
