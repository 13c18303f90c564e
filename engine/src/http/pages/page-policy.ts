import { createHash, randomBytes } from 'node:crypto';

/** Headers of every page. */
export const pageHeaders = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const;

// Each is 54 bytes of a header, and proxies accept 4 kB by default. The pages have 10 to 15. A page with more than this
// is not shown at all, so that its developer notices.
const inlineScriptsMax = 50;

/** A page was rendered with more scripts than its policy can name. */
export class TooManyScripts extends Error {}

/** A secret mark for the page's own scripts while it is rendered. */
export function createRenderNonce(): string {
  return randomBytes(16).toString('base64url');
}

/** The request header that makes Next mark its scripts. */
export function askForNonce(nonce: string): string {
  return `script-src 'nonce-${nonce}'`;
}

/**
 * The policy of one rendering: inline scripts run by the hash of their text, if they carry the nonce of the rendering.
 * All readers of the same second share the page, and would share the nonce: an attacker who read it there could run
 * scripts on another reader's page. A hash allows only the script itself.
 *
 * @param pictureOrigins where pictures may come from, besides the shop itself
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

/** For a page with only text and one style sheet, which runs no scripts. */
export function policyOfPlainPage(style: string): string {
  return join({ 'style-src': [sourceHash(style)], 'form-action': ["'none'"] });
}

/** The pages of the API's reference set styles on their elements, and load their icons from data: URLs. */
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
