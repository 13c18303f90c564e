import { createHash, randomBytes } from 'node:crypto';

/** What every page carries. */
export const pageHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const;

// Each is 54 bytes of a header, of which proxies take 4 kB by default. Pages of ours have 10 to 15; one of more than this
// is not shown at all, so that it is noticed where it is made.
const inlineScriptsMax = 50;

/** A page that was rendered with more scripts than its policy can name. */
export class TooManyScripts extends Error {}

/** What the page's own scripts are marked with while it is rendered, known to nobody else. */
export function createRenderNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** The request header by which Next marks its scripts. */
export function askForNonce(nonce: string): string {
  return `script-src 'nonce-${nonce}'`;
}

/**
 * The policy of one rendering: inline scripts run by the hash of their text, if they bear the nonce that they were rendered
 * with. The page is shared by all who open it in the same second, and so would be the nonce; whoever read it there could
 * have scripts run on the page of another. A hash is worth nothing to anybody but the script itself.
 *
 * @param pictureOrigins where pictures may come from, beside the shop itself
 * @throws TooManyScripts
 */
export function policyOf(html: string, nonce: string, pictureOrigins: readonly string[]): string {
  const marked = new RegExp(`<script(?=[^>]* nonce="${nonce}")(?![^>]* src=)[^>]*>([^]*?)</script>`, 'g');
  const hashes = new Set(Array.from(html.matchAll(marked), ([, text = '']) => sourceHash(text)));
  if (hashes.size > inlineScriptsMax) throw new TooManyScripts(`${hashes.size} inline scripts`);
  return join({
    'script-src': ["'self'", ...hashes],
    'style-src': ["'self'"],
    'img-src': ["'self'", ...pictureOrigins],
    'connect-src': ["'self'"],
    'form-action': ["'self'"],
  });
}

/** A page that is one text with one style sheet in it, and runs nothing. */
export function policyOfPlainPage(style: string): string {
  return join({ 'style-src': [sourceHash(style)], 'form-action': ["'none'"] });
}

/** The pages of the API's reference set styles on their elements, and draw their icons from data: URLs. */
export const referencePolicy = join({
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'form-action': ["'self'"],
});

function join(allowed: Record<string, readonly string[]>): string {
  const directives = {
    'default-src': ["'none'"],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
    ...allowed,
  };
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ');
}

function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
