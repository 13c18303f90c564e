import type { Config } from '../platform/config/config.js';
import type { Job } from '../platform/jobs/job.js';
import { createDestinations, type Destinations } from '../webhooks/address.js';
import { createDeliver } from '../webhooks/deliver.js';
import { createPost } from '../webhooks/post.js';
import { createSeal } from '../webhooks/seal.js';
import { createSweep } from '../webhooks/sweep.js';
import { createTellWebhooks } from '../webhooks/tell.js';
import type { Parts } from './parts.js';

/** Where this installation's webhooks may be sent. */
export function destinationsOf({ WEBHOOK_ALLOW_NETWORKS, NODE_ENV }: Config): Destinations {
  return createDestinations({
    allowedRanges: WEBHOOK_ALLOW_NETWORKS,
    isHttpAllowed: NODE_ENV !== 'production',
  });
}

/** The scheduler's jobs for webhooks: create events from the journals, send them, and delete old ones. */
export function createWebhookJobs({ config, pool, secrets, logger, instruments }: Parts): {
  jobs: Job[];
  close(): Promise<void>;
} {
  const timeoutMs = config.WEBHOOK_TIMEOUT_MS;
  const post = createPost({ destinations: destinationsOf(config), timeoutMs });
  const deliver = createDeliver({
    pool,
    seal: createSeal(secrets.secretKey),
    post,
    timeoutMs,
    triesMax: config.WEBHOOK_TRIES_MAX,
    retryBaseMs: config.WEBHOOK_RETRY_BASE_MS,
    retryMaxMs: config.WEBHOOK_RETRY_MAX_MS,
    disableAfterMs: config.WEBHOOK_DISABLE_AFTER_MS,
    onTried: instruments.webhookTries.add,
    onDisabled: endpointId =>
      logger.warn({ endpointId }, 'a webhook was disabled because it failed for too long'),
  });
  const jobs: Job[] = [
    {
      name: 'tell-webhooks',
      everyMs: 500,
      run: createTellWebhooks({ pool, pendingMax: config.WEBHOOK_PENDING_MAX }),
    },
    {
      name: 'deliver-webhooks',
      everyMs: 250,
      run: deliver,
    },
    {
      name: 'sweep-webhooks',
      everyMs: 60_000,
      run: createSweep({
        pool,
        retentionDays: config.WEBHOOK_RETENTION_DAYS,
        eventsMax: config.WEBHOOK_EVENTS_MAX,
      }),
    },
  ];
  return { jobs, close: post.close };
}
