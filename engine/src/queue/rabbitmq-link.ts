import { type ChannelModel, connect } from 'amqplib';
import { backoffMs, endsWithin } from '../platform/backoff.js';
import { messageOf, OperatingError } from '../platform/errors.js';

/** A connection to the broker that is opened again whenever it is lost, and what has been opened on it. */
export type Link<Opened> = {
  /**
   * Waits for the connection until it has been down for `timeoutMs`, and later not at all.
   *
   * @throws OperatingError QUEUE_UNAVAILABLE, or TOPOLOGY_CHANGED when that is what keeps it from being opened.
   */
  opened(): Promise<Opened>;
  close(): Promise<void>;
};

export type LinkOptions<Opened> = {
  url: string;
  timeoutMs: number;
  /** Opens what is needed on a fresh connection; if it rejects, another connection is tried. */
  open: (model: ChannelModel) => Promise<Opened>;
  /** Told of every connection that was lost or could not be opened. */
  onError?: (error: unknown) => void;
};

// A broker that falls silent is given up after two of these. A shorter beat would call a busy process dead.
const heartbeatSeconds = 5;

export function createLink<Opened>({ url, timeoutMs, open, onError }: LinkOptions<Opened>): Link<Opened> {
  let current: { opened: Opened } | undefined;
  let failure: unknown = new Error('the broker has not answered yet');
  let downSinceMs = performance.now();
  let announce = () => {};
  let next = createNext();
  // When the connection of the moment is gone, by whose will ever.
  let gone: Promise<unknown> = new Promise(() => {});

  function createNext(): Promise<void> {
    return new Promise(resolve => {
      announce = resolve;
    });
  }

  function lose(error: unknown): void {
    if (current) {
      current = undefined;
      downSinceMs = performance.now();
      next = createNext();
    }
    failure = error;
    onError?.(error);
  }

  async function setUp(model: ChannelModel): Promise<void> {
    // The library has no listener of its own before this has ended.
    model.on('error', () => {});
    gone = new Promise(resolve => model.on('close', resolve));
    current = { opened: await open(model) };
    announce();
  }

  const connecting = connect(withHeartbeat(url), {
    noDelay: true,
    timeout: timeoutMs,
    recovery: {
      waitForConnect: false,
      setup: setUp,
      calculateDelay: attempt => backoffMs(attempt - 1, 100, 2000),
    },
  }).then(recovering => {
    recovering.on('disconnect', lose);
    recovering.on('connect-failed', lose);
    // Every error is followed by one of the two above.
    recovering.on('error', () => {});
    return recovering;
  });

  return {
    async opened() {
      if (!current) {
        const leftMs = downSinceMs + timeoutMs - performance.now();
        if (leftMs > 0) await endsWithin(next, leftMs);
      }
      if (current) return current.opened;
      throw failure instanceof OperatingError ? failure : unavailable(failure);
    },
    async close() {
      // A broker that fell silent never confirms the end of a connection, nor does one whose connection breaks meanwhile.
      const closed = connecting.then(recovering => recovering.close());
      await endsWithin(Promise.race([closed, gone]), timeoutMs);
    },
  };
}

/** Gives a connection up, so that the link opens another. */
export function abandon(model: ChannelModel): void {
  void model.close().catch(() => {});
}

export function unavailable(cause: unknown): OperatingError {
  return new OperatingError(
    'QUEUE_UNAVAILABLE',
    `RabbitMQ can not be used: ${messageOf(cause)}`,
    'Publish again; a message that comes twice has one effect',
    { cause, retryable: true },
  );
}

function withHeartbeat(url: string): string {
  const address = new URL(url);
  if (!address.searchParams.has('heartbeat')) {
    address.searchParams.set('heartbeat', String(heartbeatSeconds));
  }
  return address.href;
}
