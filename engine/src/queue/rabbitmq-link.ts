import { type ChannelModel, connect } from 'amqplib';
import { backoffMs, endsWithin, pause } from '../platform/backoff.js';
import { messageOf, OperatingError } from '../platform/errors.js';

/** A connection to the broker, reopened whenever it is lost, and what is open on it. */
export type Link<Opened> = {
  /**
   * Waits for the connection until it has been down for `timeoutMs`. After that it does not wait.
   *
   * @throws OperatingError QUEUE_UNAVAILABLE, or TOPOLOGY_CHANGED if a changed queue prevents the connection.
   */
  opened(): Promise<Opened>;
  close(): Promise<void>;
};

export type LinkOptions<Opened> = {
  url: string;
  timeoutMs: number;
  /** Opens what is needed on a fresh connection; if it rejects, another connection is tried. */
  open: (model: ChannelModel) => Promise<Opened>;
  /** Called for every connection that was lost or could not be opened. */
  onError?: (error: unknown) => void;
};

// The client gives up on a silent broker after two of these. With a shorter heartbeat, a busy process would count as
// dead.
const heartbeatSeconds = 5;
// A connection lost sooner than this was of no use: the pause before the next one grows, up to two seconds.
const steadyMs = 5000;

export function createLink<Opened>({ url, timeoutMs, open, onError }: LinkOptions<Opened>): Link<Opened> {
  const address = withHeartbeat(url);
  const closing = new AbortController();
  const state = createState<Opened>();
  const ended = keepOpen();

  // The library's own recovery listens for the end of a connection only once it is set up. It therefore misses one that
  // ends in the same turn, and waits forever if the end of an unfinished one is not confirmed.
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

  /** @returns what ended the connection, or prevented it. */
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

/** What is open at the moment, and the callers that wait for it. */
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
      // Waiting does not help against a changed queue.
      if (!current && !(failure instanceof OperatingError)) {
        const leftMs = downSinceMs + timeoutMs - performance.now();
        if (leftMs > 0) await endsWithin(next, leftMs);
      }
      if (current) return current.opened;
      throw failure instanceof OperatingError ? failure : unavailable(failure);
    },
  };
}

/** Gives up a connection, so that the link opens another. */
export function abandon(model: ChannelModel): void {
  void model.close().catch(() => {});
}

export function unavailable(cause: unknown): OperatingError {
  return new OperatingError(
    'QUEUE_UNAVAILABLE',
    `RabbitMQ cannot be used: ${messageOf(cause)}`,
    'Publish again; a message that is delivered twice has one effect',
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
