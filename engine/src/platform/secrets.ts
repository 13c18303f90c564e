import { createHmac, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from './config/config.js';
import { secretCharactersMin } from './config/fields.js';
import { codeOf, OperatingError } from './errors.js';

export type Secrets = {
  /** Each of them identifies the shop's own server. */
  apiKeys: readonly string[];
  operators: readonly OperatorSecret[];
  /** Signs sessions and checkout codes. */
  secretKey: string;
  /** Signs the CSRF tokens that a page sends along with a cookie. */
  csrfSecret: string;
};

type OperatorSecret = { name: string; secret: string };

/** The file of a generated secret; only its owner can read it. */
export function secretPath(dataDir: string, name: 'api-key' | 'operator-token' | 'secret-key'): string {
  return join(dataDir, name);
}

/** Secrets from the settings; a secret that is not set is generated at the first start and kept in DATA_DIR. */
export async function readSecrets(config: Config): Promise<Secrets> {
  const { API_KEY, OPERATOR_TOKEN, OPERATORS = [], SECRET_KEY, CSRF_SECRET, DATA_DIR } = config;
  const apiKeys = API_KEY ?? [await readOrCreate(secretPath(DATA_DIR, 'api-key'))];
  const operatorToken = OPERATOR_TOKEN ?? (await readOrCreate(secretPath(DATA_DIR, 'operator-token')));
  const secretKey = SECRET_KEY ?? (await readOrCreate(secretPath(DATA_DIR, 'secret-key')));
  return {
    apiKeys,
    operators: [{ name: 'operator', secret: operatorToken }, ...OPERATORS],
    secretKey,
    csrfSecret: CSRF_SECRET ?? createHmac('sha256', secretKey).update('csrf').digest('base64url'),
  };
}

async function readOrCreate(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  await createOnce(path, `${randomBytes(32).toString('base64url')}\n`);
  const secret = (await readFile(path, 'utf8')).trim();
  if (secret.length >= secretCharactersMin) return secret;
  throw new OperatingError(
    'SECRET_TOO_SHORT',
    `${path} has ${secret.length} characters; a secret needs at least ${secretCharactersMin}`,
    'Delete the file; the next start generates a new secret',
  );
}

// link(2) fails if the file exists, and otherwise shows it complete. So if two processes start together, or one is killed
// in between, there is one secret or none, never half of one.
async function createOnce(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
}
