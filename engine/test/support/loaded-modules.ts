import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDir } from './payment-rigs.js';

/** What a process of the engine is to be given so that it tells which modules it loads, and how to read that. */
export async function tellLoaded(): Promise<{
  env: { NODE_OPTIONS: string };
  read: () => Promise<string[]>;
}> {
  const file = join(await createTestDir(), 'loaded-modules');
  const hooks = `
    import { appendFileSync } from 'node:fs';
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(file)}, url + '\\n');
      return next(url, context);
    }`;
  const preload = `import { register } from 'node:module'; register(${JSON.stringify(asUrl(hooks))});`;
  return {
    env: { NODE_OPTIONS: `--import=${asUrl(preload)}` },
    read: async () => (await readFile(file, 'utf8')).split('\n'),
  };
}

function asUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}
