import type { Channel, ConsumeMessage } from 'amqplib';
import { backoffMs, endsWithin, sleep } from '../platform/backoff.js';
import type { Settlement } from './order-queue.js';
import { encodeRetry, type Incoming } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
import type { Topology } from './rabbitmq-topology.js';

export type Arrival = { incoming: Incoming; source: ConsumeMessage };

/** The messages of one connection. When it ends, all unsettled messages go back to the broker. */
export type Session = {
  channel: Channel;
  isOpen: boolean;
  consumerTags: string[];
  inbox: Arrival[];
  /** Messages that were delivered and are not settled. */
  held: number;
  /** Of these, messages whose delayed copy the broker has not confirmed yet. */
  retrying: number;
};

/** Settles messages with the broker. Nothing here rejects: a message that could not be settled is redelivered. */
export type Settler = {
  settle(session: Session, batch: readonly Arrival[], settlements: readonly Settlement[]): void;
  /** Makes a message wait for the rest of its delay. */
  delayFurther(session: Session, arrival: Arrival): void;
  /** Puts unhandled messages back at the end of the queue: the broker itself would count them as delivered. */
  giveBack(session: Session): void;
  /** Waits for settlements in progress, as long as the broker accepts them. */
  stop(withinMs: number): Promise<void>;
};

/** A message to redeliver, with its count of deliveries. */
type Retry = Arrival & { againInMs: number; deliveries: number };

export function createSettler(
  publisher: Publisher,
  topology: Topology,
  onError: (error: unknown) => void,
): Settler {
  const underWay = new Set<Promise<void>>();
  let isStopping = false;

  function retry(session: Session, retries: readonly Retry[]): void {
    session.retrying += retries.length;
    const work = publishRetries(session, retries).finally(() => underWay.delete(work));
    underWay.add(work);
  }

  /** Until this succeeds, the broker still has the original messages: none is lost, only late or early. */
  async function publishRetries(session: Session, retries: readonly Retry[]): Promise<void> {
    const outgoing = retries.map(({ incoming, deliveries, againInMs }) =>
      encodeRetry(topology, { message: incoming.delivery.message, deliveries }, againInMs),
    );
    for (let failures = 0; session.isOpen; failures++) {
      try {
        await publisher.publish(outgoing);
        if (!session.isOpen) return;
        session.retrying -= retries.length;
        for (const arrival of retries) acknowledge(session, arrival);
        return;
      } catch (error) {
        onError(error);
        if (isStopping) return;
        await sleep(backoffMs(failures, 50, 1000));
      }
    }
  }

  return {
    settle(session, batch, settlements) {
      if (!session.isOpen) return;
      const last = batch.at(-1);
      const isAllDone = settlements.every(settlement => settlement === 'done');
      // One frame settles all messages up to the last one, if no earlier one is still open.
      if (isAllDone && last && session.retrying === 0) {
        session.channel.ack(last.source, true);
        session.held -= batch.length;
        return;
      }
      const retries: Retry[] = [];
      for (const [position, arrival] of batch.entries()) {
        const settlement = settlements[position] ?? 'done';
        if (settlement === 'done') acknowledge(session, arrival);
        else if ('retryInMs' in settlement) retries.push(counted(arrival, settlement.retryInMs));
        else retries.push(uncounted(arrival, settlement.laterInMs));
      }
      if (retries.length > 0) retry(session, retries);
    },
    delayFurther: (session, arrival) => retry(session, [uncounted(arrival, arrival.incoming.restMs)]),
    giveBack(session) {
      const rest = session.inbox.splice(0).map(arrival => uncounted(arrival, 0));
      if (rest.length > 0) retry(session, rest);
    },
    async stop(withinMs) {
      isStopping = true;
      await endsWithin(Promise.all(underWay), withinMs);
    },
  };
}

function counted(arrival: Arrival, againInMs: number): Retry {
  return { ...arrival, againInMs, deliveries: arrival.incoming.delivery.deliveries };
}

function uncounted(arrival: Arrival, againInMs: number): Retry {
  return { ...arrival, againInMs, deliveries: arrival.incoming.delivery.deliveries - 1 };
}

function acknowledge(session: Session, { source }: Arrival): void {
  session.channel.ack(source);
  session.held -= 1;
}
