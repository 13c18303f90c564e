import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from '../answers/send-problem.js';
import { pageHeaders, policyOfPlainPage } from './page-policy.js';

/** Sends browsers a page that reloads itself, and programs a problem. */
export function sendBusy(
  request: FastifyRequest,
  reply: FastifyReply,
  slug: 'overloaded' | 'unavailable',
): FastifyReply {
  if (!request.headers.accept?.includes('text/html')) return sendProblem(reply, slug);
  return reply
    .code(503)
    .header('retry-after', '3')
    .header('cache-control', 'no-store')
    .headers({ ...pageHeaders, 'content-security-policy': busyPolicy })
    .type('text/html; charset=utf-8')
    .send(busyPage);
}

const busyStyle =
  ':root{color-scheme:light dark}body{font:1.25rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem}';
const busyPolicy = policyOfPlainPage(busyStyle);
const busyPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width"><title>One moment</title>
<style>${busyStyle}</style>
</head><body><h1>One moment.</h1>
<p>The shop is busy or just starting. This page reloads itself. Accepted orders are safe.</p></body></html>
`;
