import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Shop = { url: string; close(): Promise<void> };

export const command = fileURLToPath(new URL('../../../engine/bin/doorbuster.js', import.meta.url));

/** The built engine as `npm start` runs it, with its demo catalogue, in a temporary directory. */
export async function startShop(settings: Record<string, string>): Promise<Shop> {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-shop-'));
  // When root runs this, the database server runs as another user, who must be able to enter this directory.
  await chmod(dataDir, 0o711);
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [command, 'start'], {
    env: {
      ...env,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: '0',
      SANDBOX_PORT: '0',
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await addressOf(child);
  return {
    url,
    async close() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const onText = (text: Buffer) => {
      output += text;
      const [, url] = /shop(?: API)?\s+(http:\/\/[^/\s]+)/.exec(output) ?? [];
      if (url && output.includes('Ctrl-C')) resolve(url);
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.on('exit', code => reject(new Error(`the shop ended with ${code}:\n${output}`)));
  });
}
