import { z } from 'zod';
import { integer } from '../fields.js';
import { isProxyList, splitList } from './protection-settings.js';

/** Outgoing webhooks. */
export const webhooksSettings = {
  // A receiver should store the event, answer, and process it afterwards.
  WEBHOOK_TIMEOUT_MS: integer(10_000, 100, 60_000).describe(
    'timeout for one try, from connecting to the headers of the answer',
  ),
  // With the pauses below: after 5 s, 10 s, 20 s ... and then hourly, about six hours in total.
  WEBHOOK_TRIES_MAX: integer(16, 1, 100).describe('tries of one delivery'),
  WEBHOOK_RETRY_BASE_MS: integer(5000, 10, 3_600_000).describe(
    'the first pause; each pause is twice the one before, less a random part of up to half',
  ),
  WEBHOOK_RETRY_MAX_MS: integer(3_600_000, 10, 86_400_000).describe('the longest pause'),
  // After a day without one success, that receiver is probably abandoned.
  WEBHOOK_DISABLE_AFTER_MS: integer(86_400_000, 100, 2_592_000_000).describe(
    'a webhook that has had no success for this long is disabled',
  ),
  // About 30 MB of rows for a receiver that is down during a large sale.
  WEBHOOK_PENDING_MAX: integer(100_000, 1, 10_000_000).describe(
    'deliveries that may wait for one webhook; further ones fail at once and can be replayed',
  ),
  WEBHOOK_RETENTION_DAYS: integer(7, 1, 365).describe('how long events are kept, with their deliveries'),
  WEBHOOK_EVENTS_MAX: integer(1_000_000, 1000, 100_000_000).describe('how many events are kept'),
  // 127.0.0.0/8 is useful for development.
  WEBHOOK_ALLOW_NETWORKS: z
    .string()
    .default('')
    .transform(splitList)
    .refine(isProxyList, {
      message: 'expected addresses or CIDR ranges separated by commas, such as 127.0.0.0/8,fd00::/8',
    })
    .describe('non-public ranges that webhooks may call'),
};
