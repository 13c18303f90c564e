import type { Channel, ConsumeMessage } from 'amqplib';
import { backoffMs, endsWithin, sleep } from '../platform/backoff.js';
import type { Settlement } from './order-queue.js';
import { encodeRetry, type Incoming } from './rabbitmq-message.js';
import type { Publisher } from './rabbitmq-publisher.js';
import type { Topology } from './rabbitmq-topology.js';

export type Arrival = { incoming: Incoming; source: ConsumeMessage };

/** One connection's worth of messages. With it, all that is not settled goes back to the broker. */
export type Session = {
  channel: Channel;
  isOpen: boolean;
  consumerTags: string[];
  inbox: Arrival[];
  /** Handed over and not settled. */
  held: number;
  /** Of these, the ones that wait for the broker to have taken them for a later time. */
  retrying: number;
};

/** Says to the broker what has become of messages. Nothing here rejects: what could not be settled comes again. */
export type Settler = {
  settle(session: Session, batch: readonly Arrival[], settlements: readonly Settlement[]): void;
  /** Has a message wait for what is left of its delay. */
  delayFurther(session: Session, arrival: Arrival): void;
  /** Puts what nobody has had in hand back into the queue, at its end: the broker by itself would count it as delivered. */
  giveBack(session: Session): void;
  /** Waits for what is under way, as long as the broker takes it. */
  stop(withinMs: number): Promise<void>;
};

/** A message that is to come again, and how many deliveries it counts by then. */
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

  /** Until it has succeeded, the broker still has the messages as they were: nothing is lost, only late or early. */
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
      // One frame settles all up to the last one, as long as no other before it is open.
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
