import { sendProblem } from '../../answers/send-problem.js';
import type { App } from '../../server/http-server.js';

// RFC 9116 recommends less than a year; later readers should fetch it again.
const validForDays = 90;
const dayMs = 24 * 60 * 60_000;

/**
 * GET /.well-known/security.txt (RFC 9116): where to report a vulnerability. Exists only if SECURITY_CONTACT is set.
 */
export function registerSecurityTxt(app: App, contact: string | undefined): void {
  app.get('/.well-known/security.txt', { schema: { hide: true } }, async (_request, reply) => {
    if (contact === undefined) return sendProblem(reply, 'not-found');
    const expires = new Date((Math.floor(Date.now() / dayMs) + validForDays) * dayMs).toISOString();
    const lines = [`Contact: ${contact}`, `Expires: ${expires}`, 'Preferred-Languages: en', ''];
    return reply.type('text/plain; charset=utf-8').send(lines.join('\n'));
  });
}
