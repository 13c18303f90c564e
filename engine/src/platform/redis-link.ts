import { Redis } from 'ioredis';
import { backoffMs, sleep } from './backoff.js';
import { type BreakerState, createBreaker } from './breaker.js';
import { messageOf, OperatingError } from './errors.js';

export type RedisLink = {
  /** Connected, and answering lately. Nobody but a probe needs to send anything otherwise. */
  isUp(): boolean;
  /** Sends at once or not at all. @throws OperatingError REDIS_UNAVAILABLE; whether it was carried out is not known then. */
  send<T>(command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Teaches the connection a Lua script, which is sent whole when the server does not know it (any more). */
  define: Redis['defineCommand'];
  close(): void;
};

export type RedisLinkOptions = {
  url: string;
  /** For one command. */
  timeoutMs: number;
  /** Told each time that it stops answering. */
  onError: (error: unknown) => void;
};

// One slow answer is a pause of this process or of the server; three in a row are a server that is slow or gone.
const failuresMax = 3;
const openMs = 400;
const probeEveryMs = 500;
const reconnectMaxMs = 1000;
// A connection that has had no answer for this long is half open (a dropped route): a new one is made.
const silenceMaxMs = 3000;

/** A connection to a server that may be slow or gone at any moment: every command settles within `timeoutMs`. */
export function connectRedis({ url, timeoutMs, onError }: RedisLinkOptions): RedisLink {
  const redis = new Redis(url, {
    // For what the client sends by itself when it connects; our own commands settle sooner.
    commandTimeout: timeoutMs + 1000,
    connectTimeout: timeoutMs + 1000,
    socketTimeout: timeoutMs + silenceMaxMs,
    // What can not be sent now shall fail now: advice that comes late is no advice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: times => 20 + backoffMs(times, 50, reconnectMaxMs),
    keepAlive: 10_000,
    connectionName: 'doorbuster',
    disableClientInfo: true,
    // Spoken by every version and every proxy.
    protocol: 2,
  });
  let trouble: unknown;
  // Without a listener Node would end the process. Commands have the error themselves; connecting is tried for ever.
  redis.on('error', error => {
    trouble = error;
  });
  const breaker = createBreaker({
    failuresMax,
    openMs,
    isFailure: isNoAnswer,
    refusal: () => unavailable('has failed several times in a row'),
    onMove,
  });
  let probing: NodeJS.Timeout | undefined;

  function onMove(state: BreakerState, error: unknown): void {
    if (state === 'open') giveUp(error);
    if (state === 'closed') recover();
  }

  function giveUp(error: unknown): void {
    // A probe that fails opens the breaker once more; that is no news.
    if (!probing) onError(trouble ?? error);
    // Nobody who buys waits for a probe, and nobody else may be asking.
    probing ??= setInterval(() => void send(() => redis.ping()).catch(() => {}), probeEveryMs).unref();
    // What was not answered on this connection would be taken for the answer to what is sent next, if it was lost.
    if (redis.status === 'ready') redis.disconnect(true);
  }

  function recover(): void {
    clearInterval(probing);
    probing = undefined;
    trouble = undefined;
  }

  async function send<T>(command: (client: Redis) => Promise<T>): Promise<T> {
    try {
      return await breaker.run(() => inTime(command(redis), timeoutMs));
    } catch (error) {
      if (error instanceof OperatingError) throw error;
      throw unavailable(`does not do what it is asked: ${messageOf(error)}`, error);
    }
  }

  return {
    isUp: () => redis.status === 'ready' && breaker.state() === 'closed',
    send,
    define: (name, definition) => redis.defineCommand(name, definition),
    close() {
      clearInterval(probing);
      redis.disconnect();
    },
  };
}

/** Waits until it can be asked, for tools. @throws OperatingError REDIS_UNAVAILABLE after `timeoutMs`. */
export async function waitForRedis(link: RedisLink, timeoutMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!link.isUp()) {
    if (performance.now() > giveUpAtMs) throw unavailable(`can not be reached within ${timeoutMs} ms`);
    await sleep(20);
  }
}

// When this process has been busy for longer than the timeout, its timers come first and the answers that lie ready in the
// sockets after them. Those are heard before anybody is called late: else a server would seem gone when we are under load.
async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`));
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([answer, isLate]);
  } finally {
    clearTimeout(timer);
  }
}

// An error that the server itself reports came in time, and is the affair of whoever sent the command.
function isNoAnswer(error: unknown): boolean {
  return !(error instanceof Error && error.name === 'ReplyError');
}

function unavailable(why: string, cause?: unknown): OperatingError {
  return new OperatingError(
    'REDIS_UNAVAILABLE',
    `Redis ${why}`,
    'Check REDIS_URL and that the server accepts connections; purchases go on without it',
    { cause, retryable: true },
  );
}
