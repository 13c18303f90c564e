import { createHmac, timingSafeEqual } from 'node:crypto';

/** The content of a signed token: a subject, and when it ends. */
type SignedToken = { subject: string; endsAtMs: number };

export type TokenSigner = {
  sign(token: SignedToken): string;
  /** @returns undefined for a token that is forged or has ended. */
  read(text: string, nowMs: number): SignedToken | undefined;
};

/**
 * Tokens of the form subject.end.signature.
 *
 * @param purpose a token that was signed for one purpose is not valid for another.
 */
export function createTokenSigner(secretKey: string, purpose: string): TokenSigner {
  const signatureOf = (subject: string, endsAtMs: string) =>
    createHmac('sha256', secretKey).update(`${purpose}:${subject}:${endsAtMs}`).digest('base64url');

  return {
    sign({ subject, endsAtMs }) {
      const end = String(Math.floor(endsAtMs));
      return `${subject}.${end}.${signatureOf(subject, end)}`;
    },
    read(text, nowMs) {
      const [, subject, end, signature] = /^([\w-]{1,64})\.(\d{1,15})\.([\w-]{43})$/.exec(text) ?? [];
      if (subject === undefined || end === undefined || signature === undefined) return undefined;
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(signatureOf(subject, end)))) return undefined;
      const endsAtMs = Number(end);
      return nowMs < endsAtMs ? { subject, endsAtMs } : undefined;
    },
  };
}
