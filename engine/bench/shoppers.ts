import { writeFileSync } from 'node:fs';
import { exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { z } from 'zod';
import type { Server } from './servers.js';

// Each makes a few purchases a second, as shoppers who press the button again do.
const shoppers = 2000;
const atOnce = 50;
const sessionSchema = z.object({ token: z.string() });

/** Limits per shopper and address that are counted but too high to reach. */
export const unreachedLimits = {
  RATE_LIMIT_IP_MAX: '1000000',
  RATE_LIMIT_IP_BURST: '1000000',
  RATE_LIMIT_IP_PURCHASES_MAX: '1000000',
  RATE_LIMIT_USER_MAX: '1000000',
};

/** Writes a file for the load generator: shoppers with a session cookie each, as a browser sends it. */
export async function writeSessionCallers({ url }: Server, file: string): Promise<void> {
  const tokens: string[] = [];
  async function startSessions(): Promise<void> {
    while (tokens.length < shoppers) {
      const response = await fetch(`${url}/api/session`, { method: 'POST' });
      tokens.push(sessionSchema.parse(await response.json()).token);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, startSessions));
  writeCallers(
    file,
    tokens.map(token => ({ cookie: `doorbuster_session=${token}`, 'sec-fetch-site': 'same-origin' })),
  );
}

const issuer = 'https://id.example';
const audience = 'bench';

/** An issuer of tokens: the settings of an engine that accepts them, and shoppers who have one each. */
export async function createIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const sign = (subject: string) =>
    new SignJWT({ sub: subject, iss: issuer, aud: audience })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime('2h')
      .sign(privateKey);
  return {
    settings: {
      IDENTITY: 'jwt',
      JWT_PUBLIC_KEY: await exportSPKI(publicKey),
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: audience,
    },
    /** Writes a file for the load generator. */
    async writeCallers(file: string): Promise<void> {
      const tokens = await Promise.all(
        Array.from({ length: shoppers }, (_, number) => sign(`bench-${number}`)),
      );
      writeCallers(
        file,
        tokens.map(token => ({ authorization: `Bearer ${token}` })),
      );
    },
  };
}

function writeCallers(file: string, callers: readonly Record<string, string>[]): void {
  writeFileSync(file, callers.map(headers => `${JSON.stringify(headers)}\n`).join(''));
}
