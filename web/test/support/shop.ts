import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A whole shop as `npm start` runs it, with its demo catalogue. */
    shopUrl: string;
  }
}

export const operatorToken = 'web-test-operator-000000';

export const command = fileURLToPath(new URL('../../../engine/bin/doorbuster.js', import.meta.url));

/** One shop for the whole run: the built engine, its pages, a database in a directory that goes away with it. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'doorbuster-web-'));
  // Run by root, the database server is another user; it may pass through, and its cluster stays in here.
  await chmod(dataDir, 0o711);
  const { DATABASE_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, [command, 'start'], {
    env: {
      ...env,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: '0',
      SANDBOX_PORT: '0',
      WEB_ENABLED: 'true',
      LOG_LEVEL: 'warn',
      OPERATOR_TOKEN: operatorToken,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const url = await addressOf(child);
  await pagesOf(url);
  project.provide('shopUrl', url);
  return async () => {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  };
}

export function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const onText = (text: Buffer) => {
      output += text;
      const [, url] = /shop\s+(http:\/\/[^/\s]+)\//.exec(output) ?? [];
      if (url && output.includes('Ctrl-C')) resolve(url);
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.on('exit', code => reject(new Error(`the shop ended with ${code}:\n${output}`)));
  });
}

async function pagesOf(url: string): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000;
  for (;;) {
    const { status } = await fetch(url);
    if (status === 200) return;
    if (performance.now() > giveUpAtMs) throw new Error(`the pages of ${url} still answer ${status}`);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}
