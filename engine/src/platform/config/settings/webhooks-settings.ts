import { z } from 'zod';
import { integer } from '../fields.js';
import { isProxyList, splitList } from './protection-settings.js';

/** Webhooks that go out. */
export const webhooksSettings = {
  // Connecting, sending, and the head of the answer. A receiver notes the event, answers, and works afterwards.
  WEBHOOK_TIMEOUT_MS: integer(10_000, 100, 60_000).describe(
    'for one try, from the connection to the head of the answer',
  ),
  // With the pauses below: after 5 s, 10 s, 20 s ... and then hourly, some six hours in all.
  WEBHOOK_TRIES_MAX: integer(16, 1, 100).describe('tries of one delivery'),
  WEBHOOK_RETRY_BASE_MS: integer(5000, 10, 3_600_000).describe(
    'the first pause; each is twice the one before, up to half of it less by lot',
  ),
  WEBHOOK_RETRY_MAX_MS: integer(3_600_000, 10, 86_400_000).describe('the longest pause'),
  // A day without one success: nobody is looking after that receiver any more.
  WEBHOOK_DISABLE_AFTER_MS: integer(86_400_000, 100, 2_592_000_000).describe(
    'without one success for so long a webhook is disabled',
  ),
  // Some 30 MB of rows for a receiver that is down during a large sale.
  WEBHOOK_PENDING_MAX: integer(100_000, 1, 10_000_000).describe(
    'deliveries that wait for one webhook; those beyond have failed at once, and can be replayed',
  ),
  WEBHOOK_RETENTION_DAYS: integer(7, 1, 365).describe('how long events are kept, with their deliveries'),
  WEBHOOK_EVENTS_MAX: integer(1_000_000, 1000, 100_000_000).describe('how many events are kept'),
  // Ranges that are not public and may be called all the same, such as 127.0.0.0/8 while developing.
  WEBHOOK_ALLOW_NETWORKS: z
    .string()
    .default('')
    .transform(splitList)
    .refine(isProxyList, {
      message: 'expected addresses or CIDR ranges with commas between them, such as 127.0.0.0/8,fd00::/8',
    })
    .describe('ranges that are not public and may be called all the same'),
};
