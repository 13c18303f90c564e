import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LoadFailure } from './failure.js';

/** Sources of a secret, in order: option, environment, file option, the data directory of `npm start`. */
export interface CredentialSources {
  readonly apiKey: string | undefined;
  readonly operatorToken: string | undefined;
  readonly operatorTokenFile: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly directory: string;
}

const DATA_DIRECTORY = '.doorbuster';

/** @throws LoadFailure `usage` that names the options when there is no API key and one is needed. */
export function findApiKey(sources: CredentialSources, needed: boolean): string | null {
  const key = sources.apiKey ?? setIn(sources.env, 'API_KEY') ?? readIfThere(sources.directory, 'api-key');
  if (key !== null || !needed) return key;
  throw new LoadFailure(
    'usage',
    'Buying on behalf of many shoppers requires an API key. Pass --api-key <key> or set API_KEY to the key that the ' +
      `server was started with. (npm start writes ${DATA_DIRECTORY}/api-key; ${sources.directory} has none.)`,
  );
}

/** @throws LoadFailure `usage` that names the options when there is no operator token and one is needed. */
export function findOperatorToken(sources: CredentialSources, needed: boolean): string | null {
  const token =
    sources.operatorToken ??
    (sources.operatorTokenFile === undefined ? undefined : readSecret(sources.operatorTokenFile)) ??
    setIn(sources.env, 'OPERATOR_TOKEN') ??
    readIfThere(sources.directory, 'operator-token');
  if (token !== null || !needed) return token;
  throw new LoadFailure(
    'usage',
    'Creating the sale and reading its orders requires an operator token. Pass --operator-token <token> or ' +
      '--operator-token-file <file>, or set OPERATOR_TOKEN. ' +
      `(npm start writes ${DATA_DIRECTORY}/operator-token, but ${sources.directory} does not contain it.) ` +
      'Without one, use --product-id <id> with --no-verify.',
  );
}

function setIn(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function readIfThere(directory: string, name: string): string | null {
  try {
    return readFileSync(join(directory, DATA_DIRECTORY, name), 'utf8').trim() || null;
  } catch {
    // Missing or not readable. The caller names the options.
    return null;
  }
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoadFailure('usage', `--operator-token-file ${file}: expected a readable file. ${reason}`);
  }
}
