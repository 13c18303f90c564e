import { z } from 'zod';
import { integer } from '../fields.js';
import { isProxyList, splitList } from './protection.js';

/** Webhooks that go out. */
export const webhooksSettings = {
  // Connecting, sending, and the head of the answer. A receiver notes the event, answers, and works afterwards.
  WEBHOOK_TIMEOUT_MS: integer(10_000, 100, 60_000),
  // With the pauses below: after 5 s, 10 s, 20 s ... and then hourly, some six hours in all.
  WEBHOOK_TRIES_MAX: integer(16, 1, 100),
  WEBHOOK_RETRY_BASE_MS: integer(5000, 10, 3_600_000),
  WEBHOOK_RETRY_MAX_MS: integer(3_600_000, 10, 86_400_000),
  // A day without one success: nobody is looking after that receiver any more.
  WEBHOOK_DISABLE_AFTER_MS: integer(86_400_000, 100, 2_592_000_000),
  // Some 30 MB of rows for a receiver that is down during a large sale.
  WEBHOOK_PENDING_MAX: integer(100_000, 1, 10_000_000),
  WEBHOOK_RETENTION_DAYS: integer(7, 1, 365),
  WEBHOOK_EVENTS_MAX: integer(1_000_000, 1000, 100_000_000),
  // Ranges that are not public and may be called all the same, such as 127.0.0.0/8 while developing.
  WEBHOOK_ALLOW_NETWORKS: z.string().default('').transform(splitList).refine(isProxyList, {
    message: 'expected addresses or CIDR ranges with commas between them, such as 127.0.0.0/8,fd00::/8',
  }),
};
