import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';

/** In the format of Standard Webhooks: 24 to 64 random bytes in base64, after a prefix that secret scanners know. */
export function newWebhookSecret(): string {
  return `${prefix}${randomBytes(32).toString('base64')}`;
}

export type Message = { id: string; timestamp: number; body: string };

/**
 * The headers of a message by Standard Webhooks 1.0 (standardwebhooks.com). During a rotation of the secret, the message is
 * signed with both, and the receiver accepts it if either signature fits.
 *
 * @param secrets the new one first.
 */
export function signedHeaders({ id, timestamp, body }: Message, secrets: readonly string[]) {
  const signatures = secrets.map(secret => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
