import { createServer, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { listenUntilTestEnds } from './listen.js';

export const audience = 'doorbuster';

type Key = Awaited<ReturnType<typeof createKey>>;

export type Issuer = {
  url: string;
  /** Publishes this key in addition to those already published. */
  publish(key: Key): Promise<void>;
  withdraw(kid: string): void;
  /** How it answers from now on. */
  behave(behaviour: Behaviour): void;
  /** How often its keys were requested. */
  asked(): number;
};

type Behaviour = 'well' | 'fails' | 'hangs' | 'lies' | 'floods' | 'redirects';

/** A shop's token issuer that publishes its keys over HTTP, on a free port; closes when the test ends. */
export async function startIssuer(): Promise<Issuer> {
  const keys = new Map<string, JWK>();
  let behaviour: Behaviour = 'well';
  let asked = 0;
  const answers: Record<Behaviour, (response: ServerResponse) => void> = {
    well: response => response.end(JSON.stringify({ keys: [...keys.values()] })),
    fails: response => response.writeHead(500).end(),
    hangs: () => {},
    lies: response => response.end('{"keys": "none"'),
    floods: response => response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(300_000) })),
    redirects: response => response.writeHead(302, { location: '/elsewhere' }).end(),
  };
  const server = createServer((request, response) => {
    if (request.url === '/elsewhere') return answers.well(response);
    asked++;
    return answers[behaviour](response);
  });
  const port = await listenUntilTestEnds(server);
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    async publish({ kid, algorithm, publicKey }) {
      keys.set(kid, { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' });
    },
    withdraw: kid => void keys.delete(kid),
    behave(next) {
      behaviour = next;
    },
    asked: () => asked,
  };
}

export async function createKey(kid: string, algorithm = 'ES256') {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  return { kid, algorithm, ...pair };
}

export type Claims = Record<string, unknown>;

const nowSeconds = () => Math.floor(Date.now() / 1000);

/** A token signed with that key, valid for a minute unless the claims say otherwise; undefined removes a claim. */
export function signToken(key: Key, issuer: string, claims: Claims = {}, header = {}): Promise<string> {
  const payload = { sub: 'ann', iss: issuer, aud: audience, exp: nowSeconds() + 60, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, ...header })
    .sign(key.privateKey);
}
