// Executes the Dockerfile without Docker and proves that the resulting image runs: as uid 1000, with a read-only root,
// in production. Requires root on Linux and Node.js. Takes some two minutes, most of them for the build.
//   node deploy/check-image.mjs [--base DIRECTORY]    a Debian root as made by debootstrap; default: this machine's own
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildStages, callInside } from './image/build-stages.mjs';
import { readDockerfile } from './image/read-dockerfile.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (/** @type {string} */ text) => console.log(`check-image: ${text}`);
const startMaxMs = 60_000;
// DRAIN_DELAY_MS plus twice DRAIN_TIMEOUT_MS, plus a margin: the same as in the compose files.
const stopMaxMs = 30_000;

const { values: options } = parseArgs({ options: { base: { type: 'string' } } });
if (process.platform !== 'linux' || process.getuid?.() !== 0)
  throw new Error(
    'This check mounts directories, so it requires root on Linux: sudo node deploy/check-image.mjs',
  );

const work = mkdtempSync(join(tmpdir(), 'doorbuster-image-'));
chmodSync(work, 0o755);
const base = options.base ?? '/';
try {
  const image = buildStages(readDockerfile(join(root, 'deploy', 'Dockerfile')), {
    context: root,
    ignored: readFileSync(join(root, '.dockerignore'), 'utf8'),
    work,
    base: '/',
    say,
  });
  say(
    `size of the last stage: ${spawnSync('du', ['-sh', image.directory], { encoding: 'utf8' }).stdout.split('\t')[0]}`,
  );
  await prove(image);
  say('the image of this Dockerfile runs');
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @param {import('./image/build-stages.mjs').Image} image */
async function prove(image) {
  expect(image.user !== '0', 'it does not run as root');
  expect(image.env.NODE_ENV === 'production', 'NODE_ENV is production');
  const run = containerOf(image);
  const engine = await run.start([...image.entrypoint, ...image.command]);
  expect(run.once(image.health).status === 0, 'the health check passes');
  expect(
    run.once(['sh', '-c', 'touch /app/x || touch /x || touch /etc/x']).status !== 0,
    'only /data and /tmp are writable',
  );
  expect(run.once(['id', '-u']).stdout.trim() === image.user, `it runs as user ${image.user}`);
  const first = await run.purchase();
  expect(first.status === 'CONFIRMED', 'a purchase is confirmed');
  expect((await run.page()).includes('Meridian'), 'the pages are rendered');
  expect(
    run.once([...image.entrypoint, 'audit']).stdout.includes('All invariants hold'),
    'the audit finds no breach',
  );
  await provePagesAlone(run);
  await engine.stop();
  expect(run.once(image.health).status === 1, 'the health check fails after the stop');
  const again = await run.start([...image.entrypoint, ...image.command]);
  expect((await run.purchase()).id === first.id, 'another container on the same volume finds the order');
  await again.stop();
}

/** @param {ReturnType<typeof containerOf>} run */
async function provePagesAlone(run) {
  const port = run.port + 2;
  const env = { PORT: `${port}`, HOSTNAME: '127.0.0.1', API_URL: `http://127.0.0.1:${run.port}` };
  const pages = await run.start(['node', 'web/serve.mjs'], env, 'Ready in');
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  expect(
    (await answer.text()).includes('Meridian'),
    'the pages are rendered without the engine and without a volume',
  );
  await pages.stop();
}

/**
 * A stand-in for a container: the image read-only, its own volume, /tmp in memory, this machine's network.
 * @param {import('./image/build-stages.mjs').Image} image
 */
function containerOf(image) {
  const port = 20_000 + 10 * (process.pid % 4000);
  const binds = image.volumes.map(volume => `${volumeOf(image, volume)}=${volume}`);
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    ...image.env,
    HOST: '127.0.0.1',
    IDENTITY: 'demo',
    PAYMENT_PROVIDER: 'sandbox',
    PORT: `${port}`,
    SANDBOX_PORT: `${port + 1}`,
  };
  const call = (/** @type {string[]} */ command) =>
    callInside(base, image, { mode: 'ro', user: image.user, binds, command });
  const keyFile = join(binds[0]?.split('=')[0] ?? '', 'api-key');

  return {
    port,
    once(/** @type {string[]} */ command) {
      const { program, args } = call(command);
      return spawnSync(program, args, { env, encoding: 'utf8' });
    },
    async start(/** @type {string[]} */ command, extra = {}, ready = 'is running') {
      const { program, args } = call(command);
      const child = spawn(program, args, { env: { ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] });
      const text = collect(child);
      await until(() => text().includes(ready) || child.exitCode !== null, startMaxMs, text);
      expect(child.exitCode === null, `it starts: ${command.join(' ')}`, text);
      return { stop: () => stop(child, text) };
    },
    async purchase() {
      const answer = await fetch(`http://127.0.0.1:${port}/api/purchase`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${readFileSync(keyFile, 'utf8').trim()}`,
          'content-type': 'application/json',
          'idempotency-key': 'image',
        },
        body: JSON.stringify({ productId: 1, quantity: 1, userId: 'alice' }),
      });
      return (await answer.json()).order ?? {};
    },
    page: async () => (await fetch(`http://127.0.0.1:${port}/`)).text(),
  };
}

/** A new named volume gets what the image has at its path, with owner and mode. @type {(image: import('./image/build-stages.mjs').Image, volume: string) => string} */
function volumeOf(image, volume) {
  const directory = join(work, 'volumes', volume);
  mkdirSync(dirname(directory), { recursive: true });
  cpSync(join(image.directory, volume), directory, { recursive: true });
  chmodSync(directory, 0o700);
  chownSync(directory, Number(image.user), Number(image.user));
  return directory;
}

/** Signals the first process in the container, as an orchestrator would. @type {(child: import('node:child_process').ChildProcess, text: () => string) => Promise<void>} */
async function stop(child, text) {
  const startedAt = performance.now();
  const exited = once(child, 'exit');
  const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
  process.kill(Number(first), 'SIGTERM');
  const [code] = await Promise.race([exited, delay(stopMaxMs, ['none'])]);
  expect(
    code === 0 || code === 143,
    `it ended on SIGTERM after ${Math.round(performance.now() - startedAt)} ms with ${code}`,
    text,
  );
}

/** @param {import('node:child_process').ChildProcess} child */
function collect(child) {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', data => {
      text += data;
    });
  return () => text;
}

/** @type {(isTrue: () => boolean, maxMs: number, text: () => string) => Promise<void>} */
async function until(isTrue, maxMs, text) {
  for (const deadline = Date.now() + maxMs; !isTrue(); await delay(50))
    if (Date.now() > deadline) throw new Error(`Not done within ${maxMs} ms:\n${text()}`);
}

/** @type {(isTrue: boolean, what: string, text?: () => string) => void} */
function expect(isTrue, what, text = () => '') {
  if (!isTrue) throw new Error(`Failed: ${what}\n${text()}`);
  say(`ok: ${what}`);
}
