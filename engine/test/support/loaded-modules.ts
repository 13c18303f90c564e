import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestDir } from './payment-rigs.js';

/** The environment that makes a process of the engine record the modules it loads, and a way to read the record. */
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
