import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, errors as joseErrors } from 'jose';
import { z } from 'zod';
import { OperatingError } from '../../platform/errors.js';

/** The issuer's keys as last read. */
export type KeySet = {
  /** The key that a token's header names. */
  keyOf: JWTVerifyGetKey;
  /** Starts another reading if the keys are old, without waiting for it. */
  keepFresh(): void;
};

export type KeySetOptions = {
  url: string;
  timeoutMs: number;
  /** At most one reading in this time, however often tokens name unknown keys. */
  cooldownMs: number;
  ageMaxMs: number;
  /** Called when the set of keys has changed. */
  onChange: () => void;
  onError: (error: unknown) => void;
};

const keysSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

// A key with its certificates is some 4 kB; an issuer has a handful.
const answerBytesMax = 256 * 1024;
// Without any key every token fails, so the first keys are retried sooner than the cooldown, but no faster than this.
const firstKeysCooldownMs = 1000;

/**
 * Keys from a URL (RFC 7517). jose's own remote set forgets its keys when they are old and the URL does not answer, and
 * retries a failing URL without pause. Here old keys stay valid, and every reading counts against the cooldown.
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

  /** One reading serves all callers that wait at the same time. */
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
    'The keys that verify tokens could not be read yet',
    'Check JWT_JWKS_URL',
    { retryable: true },
  );
}

async function readText(url: string, timeoutMs: number): Promise<string> {
  // Following a redirect would lead to whatever address the answer names.
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
