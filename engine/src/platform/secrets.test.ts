import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from './config/config.js';
import { readSecrets, secretPath } from './secrets.js';

describe('secrets', () => {
  it('are created once, readable by their owner only, and the same for processes that start together', async () => {
    const DATA_DIR = await createDirectory();
    const read = () => readSecrets(readConfig({ DATA_DIR }));

    const [first, ...others] = await Promise.all([read(), read(), read(), read()]);

    for (const other of [...others, await read()]) expect(other).toEqual(first);
    expect((await stat(secretPath(DATA_DIR, 'api-key'))).mode & 0o777).toBe(0o600);
    expect((await readdir(DATA_DIR)).sort()).toEqual(['api-key', 'operator-token', 'secret-key']);
  });

  it('may be several, and each operator may have their own', async () => {
    const DATA_DIR = await createDirectory();
    const settings = {
      ...{
        DATA_DIR,
        API_KEY: 'key-one-0000000000, key-two-0000000000',
        OPERATOR_TOKEN: 'token-000000000000',
      },
      OPERATORS: 'ann:secret-of-ann-0000,bob:secret:with:colons:of-bob',
    };
    const { apiKeys, operators } = await readSecrets(readConfig(settings));

    expect(apiKeys).toEqual(['key-one-0000000000', 'key-two-0000000000']);
    expect(operators).toEqual([
      { name: 'operator', secret: 'token-000000000000' },
      { name: 'ann', secret: 'secret-of-ann-0000' },
      { name: 'bob', secret: 'secret:with:colons:of-bob' },
    ]);
  });

  it('are refused if the stored value is too short', async () => {
    const DATA_DIR = await createDirectory();
    await writeFile(secretPath(DATA_DIR, 'api-key'), '');

    await expect(readSecrets(readConfig({ DATA_DIR }))).rejects.toMatchObject({ code: 'SECRET_TOO_SHORT' });
  });
});

async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-secrets-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}
