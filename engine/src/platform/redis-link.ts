import { Redis } from 'ioredis';
import { backoffMs, sleep } from './backoff.js';
import { type BreakerState, createBreaker } from './breaker.js';
import { messageOf, OperatingError } from './errors.js';

export type RedisLink = {
  /** Whether it is connected and has answered recently. If not, only probes should send commands. */
  isUp(): boolean;
  /** Sends at once or not at all. @throws OperatingError REDIS_UNAVAILABLE; the command may still have been executed. */
  send<T>(command: (redis: Redis) => Promise<T>): Promise<T>;
  /** Defines a Lua script, which is sent in full if the server does not know it, or no longer knows it. */
  define: Redis['defineCommand'];
  close(): void;
};

export type RedisLinkOptions = {
  url: string;
  /** Timeout of one command. */
  timeoutMs: number;
  /** Called each time that the server stops answering. */
  onError: (error: unknown) => void;
};

// One slow answer may be a pause of this process or of the server; after three in a row, the server is slow or
// unreachable.
const failuresMax = 3;
const openMs = 400;
const probeEveryMs = 500;
const reconnectMaxMs = 1000;
// A connection without an answer for this long is half open (a dropped route) and is replaced.
const silenceMaxMs = 3000;

/** A connection to a server that may be slow or unavailable at any moment: every command settles within `timeoutMs`. */
export function connectRedis({ url, timeoutMs, onError }: RedisLinkOptions): RedisLink {
  const redis = new Redis(url, {
    // For the commands that the client itself sends when it connects; ours settle sooner.
    commandTimeout: timeoutMs + 1000,
    connectTimeout: timeoutMs + 1000,
    socketTimeout: timeoutMs + silenceMaxMs,
    // A command that cannot be sent now must fail now: late advice is useless.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: times => 20 + backoffMs(times, 50, reconnectMaxMs),
    keepAlive: 10_000,
    connectionName: 'doorbuster',
    disableClientInfo: true,
    // Every version and every proxy speaks it.
    protocol: 2,
  });
  let trouble: unknown;
  // Without a listener Node would end the process. Commands report the error themselves; connecting is retried forever.
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
    // A failed probe opens the breaker again; that need not be reported.
    if (!probing) onError(trouble ?? error);
    // No purchase waits for a probe, and there may be no other traffic.
    probing ??= setInterval(() => void send(() => redis.ping()).catch(() => {}), probeEveryMs).unref();
    // If a command was lost, the next answer would be taken for the answer to that command. A new connection avoids that.
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
      throw unavailable(`failed to execute a command: ${messageOf(error)}`, error);
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

/** For tools: waits until the server answers. @throws OperatingError REDIS_UNAVAILABLE after `timeoutMs`. */
export async function waitForRedis(link: RedisLink, timeoutMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs;
  while (!link.isUp()) {
    if (performance.now() > giveUpAtMs) throw unavailable(`cannot be reached within ${timeoutMs} ms`);
    await sleep(20);
  }
}

// After this process has been busy for longer than the timeout, its timers run before it reads answers that are ready in
// the sockets. So those answers are read before a command counts as late: otherwise a server would seem unreachable
// under load.
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

// An error that the server itself reports is an answer in time; the caller handles it.
function isNoAnswer(error: unknown): boolean {
  return !(error instanceof Error && error.name === 'ReplyError');
}

function unavailable(why: string, cause?: unknown): OperatingError {
  return new OperatingError(
    'REDIS_UNAVAILABLE',
    `Redis ${why}`,
    'Check REDIS_URL and that the server accepts connections; purchases continue without it',
    { cause, retryable: true },
  );
}
