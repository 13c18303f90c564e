import { type ChannelModel, connect } from 'amqplib';
import { backoffMs, endsWithin, pause } from '../platform/backoff.js';
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
// Lost sooner than this, a connection was of no use: the next one is waited for longer, up to two seconds.
const steadyMs = 5000;

export function createLink<Opened>({ url, timeoutMs, open, onError }: LinkOptions<Opened>): Link<Opened> {
  const address = withHeartbeat(url);
  const closing = new AbortController();
  const state = createState<Opened>();
  const ended = keepOpen();

  // The library's own recovery listens for the end of a connection only once it is set up, so that it never hears of one
  // that ends in the same turn, and waits for ever if the end of one that was not set up is not confirmed.
  async function keepOpen(): Promise<void> {
    for (let losses = 0; !closing.signal.aborted; losses++) {
      const startedAtMs = performance.now();
      const error = await serve();
      if (closing.signal.aborted) return;
      state.lose(error);
      onError?.(error);
      if (performance.now() - startedAtMs > steadyMs) losses = 0;
      await pause(backoffMs(losses, 100, 2000), closing.signal);
    }
  }

  /** @returns what has ended the connection, or has kept it from being opened. */
  async function serve(): Promise<unknown> {
    try {
      const model = await connect(address, { noDelay: true, timeout: timeoutMs });
      return await untilGone(model);
    } catch (error) {
      return error;
    }
  }

  async function untilGone(model: ChannelModel): Promise<unknown> {
    let isGone = false;
    const gone = new Promise<unknown>(resolve => {
      model.on('close', error => {
        isGone = true;
        resolve(error ?? new Error('the connection was closed'));
      });
    });
    // Every error is followed by the end.
    model.on('error', () => {});
    const leave = () => abandon(model);
    closing.signal.addEventListener('abort', leave);
    try {
      if (closing.signal.aborted) leave();
      const opened = await open(model);
      if (!isGone) state.use(opened);
      return await gone;
    } catch (error) {
      leave();
      throw error;
    } finally {
      closing.signal.removeEventListener('abort', leave);
    }
  }

  return {
    opened: () => state.opened(timeoutMs),
    async close() {
      closing.abort();
      // A broker that fell silent never confirms the end of a connection.
      await endsWithin(ended, timeoutMs);
    },
  };
}

/** What is open at the moment, and those who wait for it. */
function createState<Opened>() {
  let current: { opened: Opened } | undefined;
  let failure: unknown = new Error('the broker has not answered yet');
  let downSinceMs = performance.now();
  let announce = () => {};
  let next = createNext();

  function createNext(): Promise<void> {
    return new Promise(resolve => {
      announce = resolve;
    });
  }

  return {
    use(opened: Opened): void {
      current = { opened };
      announce();
    },
    lose(error: unknown): void {
      if (current) {
        current = undefined;
        downSinceMs = performance.now();
        next = createNext();
      }
      failure = error;
      if (error instanceof OperatingError) {
        announce();
        next = createNext();
      }
    },
    async opened(timeoutMs: number): Promise<Opened> {
      // Waiting does not help against a queue that is not as it should be.
      if (!current && !(failure instanceof OperatingError)) {
        const leftMs = downSinceMs + timeoutMs - performance.now();
        if (leftMs > 0) await endsWithin(next, leftMs);
      }
      if (current) return current.opened;
      throw failure instanceof OperatingError ? failure : unavailable(failure);
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
