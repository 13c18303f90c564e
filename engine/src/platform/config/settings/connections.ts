import { z } from 'zod';
import { integer } from '../fields.js';

/** The servers that it works with. */
export const connectionsSettings = {
  DATABASE_URL: postgresAddress(),
  // Where DATABASE_URL leads to a pooler: the server itself, for what needs a session of its own.
  DATABASE_DIRECT_URL: postgresAddress(),
  DB_POOL_MAX: integer(25, 2, 1000),
  DB_POOL_MIN: integer(5, 0, 1000),
  DB_TIMEOUT: integer(5000, 1, 600_000),
  DB_SSL: z.enum(['disable', 'require', 'verify-full']).default('disable'),
  // Without it orders queue in PostgreSQL.
  AMQP_URL: z
    .string()
    .regex(/^amqps?:\/\/[^\s/]+(\/[^\s/]*)?$/, 'expected amqp://user:password@host:port/vhost, or amqps:')
    .optional(),
  // As for decisions: what a shopper still takes for an answer.
  AMQP_TIMEOUT: integer(2000, 1, 600_000),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\/\S+$/, 'expected redis://user:password@host:port/number')
    .optional(),
  // What a purchase may wait for advice. A round trip is under a millisecond; a tenth of a second is a server in trouble.
  REDIS_TIMEOUT: integer(100, 2, 60_000),
};

function postgresAddress() {
  return z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, 'expected postgres://user:password@host:port/database')
    .optional();
}
