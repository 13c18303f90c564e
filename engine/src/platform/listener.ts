import pg from 'pg';
import { backoffMs, endsWithin, sleep } from './backoff.js';
import type { Queryable } from './postgres.js';

export type Listener = {
  /** True while the connection has answered recently, so that no notification is more than `silenceMaxMs` overdue. */
  isLive(): boolean;
  close(): Promise<void>;
};

export type ListenerOptions = {
  connection: pg.ClientConfig;
  channels: readonly string[];
  onNotification: (channel: string, payload: unknown) => void;
  /** Called after each (re)connect, before the listener counts as live, to read what was missed meanwhile. */
  onConnect: (db: Queryable) => Promise<void>;
  /** Called every second on the same connection. */
  onHeartbeat: (db: Queryable) => Promise<void>;
  onError: (error: unknown) => void;
};

const heartbeatEveryMs = 1000;
// Two missed heartbeats. A shorter bound would declare a busy server dead, and then send it even more load.
const silenceMaxMs = 3000;
const closeTimeoutMs = 1000;

/** Follows PostgreSQL's notifications on its own connection, which it reopens whenever it is lost. */
export function createListener(options: ListenerOptions): Listener {
  let lastHeardAtMs = Number.NEGATIVE_INFINITY;
  let closing = false;
  let client: pg.Client | undefined;
  const followed = followUntilClosed();

  async function followUntilClosed(): Promise<void> {
    for (let failures = 0; !closing; failures++) {
      try {
        await follow(() => {
          failures = 0;
        });
      } catch (error) {
        if (!closing) options.onError(error);
      }
      if (!closing) await sleep(backoffMs(failures, 50, 1000));
    }
  }

  // Any client of the database can notify; an unreadable payload is reported and ignored.
  function notify(channel: string, payload: string): void {
    try {
      options.onNotification(channel, JSON.parse(payload));
    } catch (error) {
      options.onError(error);
    }
  }

  async function follow(onLive: () => void): Promise<void> {
    client = new pg.Client(options.connection);
    const db = client;
    let failure: unknown;
    db.on('error', error => {
      failure = error;
    });
    const ended = new Promise<void>(resolve => {
      db.on('end', () => {
        failure ??= new Error('the connection that listens was closed');
        resolve();
      });
    });
    db.on('notification', ({ channel, payload }) => notify(channel, payload ?? ''));
    try {
      await db.connect();
      for (const channel of options.channels) await db.query(`listen ${db.escapeIdentifier(channel)}`);
      await options.onConnect(db);
      onLive();
      while (!closing && failure === undefined) {
        await options.onHeartbeat(db);
        lastHeardAtMs = performance.now();
        await endsWithin(ended, heartbeatEveryMs);
      }
      if (failure !== undefined) throw failure;
    } finally {
      lastHeardAtMs = Number.NEGATIVE_INFINITY;
      await db.end().catch(() => {});
    }
  }

  return {
    isLive: () => performance.now() - lastHeardAtMs < silenceMaxMs,
    async close() {
      closing = true;
      // A silent server never confirms the end of a connection, so the process does not wait for it.
      const ended = client?.end().catch(() => {});
      await endsWithin(Promise.all([ended, followed]), closeTimeoutMs);
    },
  };
}
