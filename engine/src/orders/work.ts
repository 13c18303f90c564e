import { backoffMs } from '../platform/backoff.js';
import type { Consumer, Delivery, OrderQueue, Settlement } from '../queue/order-queue.js';
import { createDecideMessage, type DecideMessageOptions } from './decide-message.js';
import type { Pay } from './pay.js';
import { createPayInBackground } from './pay-in-background.js';

export type WorkOptions = Omit<DecideMessageOptions, 'payments'> & {
  queue: OrderQueue;
  pay: Pay;
  batchMax: number;
};

const brokenRetryMs = 100;
const brokenRetryMaxMs = 30_000;
// While the database is down, a fetched batch waits this long for it before it goes back into the queue, where any worker
// can take it. However often that happens, it never counts as a failure of the message.
const outageWaitMs = 10_000;
const outageRetryMs = 1000;

/** The worker: decides queued orders in batches through the same queue of decisions as the other entrances. */
export function startWork(options: WorkOptions): Consumer {
  const { queue, batchMax, outage, onError } = options;
  const stopping = new AbortController();
  const payments = createPayInBackground(options.pay, onError);
  const decide = createDecideMessage({ ...options, payments });

  // A message that cannot even be buried is redelivered; its neighbours, which are decided, are not.
  async function handle(delivery: Delivery): Promise<Settlement> {
    try {
      return await decide(delivery);
    } catch (error) {
      onError(error);
      if (await outage.suspect()) return { laterInMs: outageRetryMs };
      return { retryInMs: backoffMs(delivery.deliveries - 1, brokenRetryMs, brokenRetryMaxMs) };
    }
  }

  async function handleAll(deliveries: readonly Delivery[]): Promise<Settlement[]> {
    await outage.over(outageWaitMs, stopping.signal);
    if (outage.isOn()) return deliveries.map(() => ({ laterInMs: outageRetryMs }));
    return Promise.all(deliveries.map(handle));
  }

  const consumer = queue.consume({ batchMax, handle: handleAll, onError });
  return {
    async stop() {
      stopping.abort();
      await consumer.stop();
      await payments.ended();
    },
  };
}
