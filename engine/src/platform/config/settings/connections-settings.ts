import { z } from 'zod';
import { integer } from '../fields.js';

/** The servers that the engine uses. */
export const connectionsSettings = {
  DATABASE_URL: postgresAddress().describe(
    'your PostgreSQL; unless set, `start` runs its own. One address that leads to the primary, even with [several servers](high-availability.md) behind it',
  ),
  // If DATABASE_URL leads to a pooler: the server itself, for work that needs its own session.
  DATABASE_DIRECT_URL: postgresAddress().describe(
    'if `DATABASE_URL` leads to [a pooler](servers.md#pgbouncer): the address of PostgreSQL itself',
  ),
  DB_POOL_MAX: integer(25, 3, 1000).describe(
    'connections of one process. A fifth of them, at least two, are for decisions: opened first and kept open. Up to four further connections are dedicated sessions',
  ),
  DB_POOL_MIN: integer(5, 0, 1000).describe(
    'connections that a process keeps open besides those for decisions',
  ),
  DB_TIMEOUT: integer(5000, 1, 600_000).describe(
    'timeout in ms for a connection, for a statement, for a lock, and for an idle transaction',
  ),
  DB_SSL: z
    .enum(['disable', 'require', 'verify-full'])
    .default('disable')
    .describe('`require` encrypts; `verify-full` also checks the certificate'),
  // Unless set, orders queue in PostgreSQL.
  AMQP_URL: z
    .string()
    .regex(/^amqps?:\/\/[^\s/]+(\/[^\s/]*)?$/, 'expected amqp://user:password@host:port/vhost, or amqps:')
    .optional()
    .describe(
      'your RabbitMQ, 3.10 or later; [orders queue there](queued-orders.md#rabbitmq) instead of in PostgreSQL. Its path is the virtual host',
    ),
  // As for decisions: the longest that a shopper waits for an answer.
  AMQP_TIMEOUT: integer(2000, 1, 600_000).describe(
    'ms without a connection or a publisher confirm, after which RabbitMQ counts as unavailable',
  ),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, 'expected redis://user:password@host:port/number')
    .optional()
    .describe(
      'your Redis: all processes share [their gate](servers.md#redis) and their purchase limits there; unless set, each process has its own',
    ),
  // How long a purchase may wait for advice. A round trip takes under a millisecond; a server that needs a tenth of a
  // second is in trouble.
  REDIS_TIMEOUT: integer(100, 2, 60_000).describe(
    'ms that a query to Redis may take: half of it until it is sent, half for the answer',
  ),
};

function postgresAddress() {
  return z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'expected postgres://user:password@host:port/database')
    .refine(
      namesOneServer,
      'expected one address that leads to the primary (HAProxy, a virtual address, an endpoint of the provider): the driver takes neither several hosts nor target_session_attrs or load_balance_hosts',
    )
    .optional();
}

// The driver ignores options that it does not know: it would look up one host named "one,two", or write to a standby.
function namesOneServer(url: string): boolean {
  const [address = '', query] = url.split('?', 2);
  const [authority = ''] = address.slice(address.indexOf('//') + 2).split('/');
  const options = new URLSearchParams(query);
  const hosts = [authority.slice(authority.lastIndexOf('@') + 1)];
  for (const name of ['host', 'hostaddr', 'port']) hosts.push(...options.getAll(name));
  const chooses = options.has('target_session_attrs') || options.has('load_balance_hosts');
  return !chooses && !hosts.some(host => host.includes(','));
}
