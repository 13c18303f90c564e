import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, errors as joseErrors } from 'jose';
import { z } from 'zod';
import { OperatingError } from '../../platform/errors.js';

/** The issuer's keys as they were last read. */
export type KeySet = {
  /** The key that a token's header names. */
  keyOf: JWTVerifyGetKey;
  /** Has the keys read again if they are old. Waits for nothing. */
  keepFresh(): void;
};

export type KeySetOptions = {
  url: string;
  timeoutMs: number;
  /** At most one reading in this time, whoever asks for keys that are not there. */
  cooldownMs: number;
  ageMaxMs: number;
  /** Keys are there that were not, or the other way round. */
  onChange: () => void;
  onError: (error: unknown) => void;
};

const keysSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

// A key with its certificates is some 4 kB; an issuer has a handful.
const answerBytesMax = 256 * 1024;
// Without any key nobody gets in: asked more often then, and never more often than this.
const firstKeysCooldownMs = 1000;

/**
 * Keys from a URL (RFC 7517). jose's own remote set forgets its keys when they are old and the URL does not answer, and
 * asks without pause a URL that fails; here old keys go on counting, and every reading counts against the cooldown.
 */
export function createKeySet(options: KeySetOptions): KeySet {
  const { url, timeoutMs, cooldownMs, ageMaxMs, onChange, onError } = options;
  let keys: JWTVerifyGetKey | undefined;
  let text = '';
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    const answer = await readText(url, timeoutMs);
    if (answer === text) return;
    const set: JSONWebKeySet = keysSchema.parse(JSON.parse(answer));
    keys = createLocalJWKSet(set);
    text = answer;
    onChange();
  }

  /** One reading for all who wait at the same time. */
  function readAgain(waitMs: number): Promise<void> {
    if (reading || performance.now() - askedAtMs < waitMs) return reading ?? Promise.resolve();
    askedAtMs = performance.now();
    reading = read()
      .catch(onError)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  }

  void readAgain(0);

  return {
    async keyOf(header, token) {
      if (!keys) await readAgain(Math.min(cooldownMs, firstKeysCooldownMs));
      if (!keys) throw unavailable();
      try {
        return await keys(header, token);
      } catch (error) {
        if (!(error instanceof joseErrors.JWKSNoMatchingKey)) throw error;
        await readAgain(cooldownMs);
        return keys(header, token);
      }
    },
    keepFresh: () => void readAgain(ageMaxMs),
  };
}

function unavailable(): OperatingError {
  return new OperatingError(
    'KEYS_UNAVAILABLE',
    'The keys that tokens are verified with could not be read yet',
    'Check JWT_JWKS_URL',
    { retryable: true },
  );
}

async function readText(url: string, timeoutMs: number): Promise<string> {
  // A redirect would be followed to wherever the answer says.
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`JWT_JWKS_URL answers ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > answerBytesMax) throw new Error(`JWT_JWKS_URL answers more than ${answerBytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
