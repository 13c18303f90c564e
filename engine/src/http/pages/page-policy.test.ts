import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRenderNonce, policyOf, TooManyScripts } from './page-policy.js';

const nonce = createRenderNonce();
const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const scriptsOf = (policy: string) => /script-src ([^;]*)/.exec(policy)?.[1]?.split(' ') ?? [];
const own = (text: string) => `<script nonce="${nonce}">${text}</script>`;

describe('the policy of a page', () => {
  it("runs the shop's script files and the inline scripts rendered with its mark, whatever their attributes", () => {
    const html = `${own('first()')}<script id="_R_" async="" nonce="${nonce}">se\ncond('ü')</script><script src="/_next/a.js" nonce="${nonce}"></script>`;
    expect(scriptsOf(policyOf(html, nonce, []))).toEqual([
      "'self'",
      hashOf('first()'),
      hashOf("se\ncond('ü')"),
    ]);
  });

  it.each([
    ['without the mark', '<script>evil()</script>'],
    ['with a guess of it', '<script nonce="guess">evil()</script>'],
    ['with the mark in its text', `<script>evil('nonce="${nonce}"')</script>`],
    ["that swallows one of the shop's own", `<script>evil()//${own('first()')}`],
  ])('does not run a script %s', (_name, planted) => {
    const sources = scriptsOf(policyOf(`${planted}${own('first()')}`, nonce, []));
    expect(sources).toEqual(["'self'", hashOf('first()')]);
  });

  it('lists at most 50 inline scripts and refuses a page with more', () => {
    const page = (scripts: number) => Array.from({ length: scripts }, (_, id) => own(`run(${id})`)).join('');
    expect(scriptsOf(policyOf(page(50), nonce, []))).toHaveLength(51);
    expect(() => policyOf(page(51), nonce, [])).toThrow(TooManyScripts);
  });

  it('allows nothing that it does not list, and no inline style', () => {
    const policy = policyOf('', nonce, ['https://pictures.example']);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "object-src 'none'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' https://pictures.example",
      "connect-src 'self'",
      "form-action 'self'",
    ]);
  });
});
