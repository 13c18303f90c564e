import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ignore from '@balena/dockerignore';
import { split } from './read-dockerfile.mjs';

const inside = fileURLToPath(new URL('inside.sh', import.meta.url));

/**
 * @typedef {import('./read-dockerfile.mjs').Stage} Stage
 * @typedef {import('./read-dockerfile.mjs').Step} Step
 * @typedef {{ directory: string, workdir: string, env: Record<string, string>, user: string, volumes: string[], entrypoint: string[], command: string[], health: string[] }} Image
 * @typedef {{ context: string, ignored: string, work: string, base: string, say: (text: string) => void }} Options
 */

/**
 * Executes the steps of a Dockerfile, each stage in its own folder, and returns the last image. Throws on an unknown
 * instruction instead of skipping it.
 * @param {Stage[]} stages
 * @param {Options} options
 * @returns {Image}
 */
export function buildStages(stages, options) {
  /** @type {Map<string, Image>} */
  const images = new Map();
  for (const stage of stages) {
    options.say(`stage ${stage.name} from ${stage.base}`);
    const image = beginStage(stage, images, options);
    for (const step of stage.steps) carryOut(step, image, images, options);
    images.set(stage.name, image);
  }
  const last = images.get(stages.at(-1)?.name ?? '');
  if (!last) throw new Error('the Dockerfile has no stage');
  return last;
}

/** @type {(stage: Stage, images: Map<string, Image>, options: Options) => Image} */
function beginStage(stage, images, { work }) {
  const directory = join(work, stage.name);
  mkdirSync(directory, { recursive: true });
  const parent = images.get(stage.base);
  if (parent) cpSync(parent.directory, directory, { recursive: true, verbatimSymlinks: true });
  const empty = { workdir: '/', env: {}, user: '0', volumes: [], entrypoint: [], command: [], health: [] };
  return structuredClone({ ...empty, ...parent, directory });
}

/** @type {(step: Step, image: Image, images: Map<string, Image>, options: Options) => void} */
function carryOut(step, image, images, options) {
  const { keyword, words, text } = step;
  if (keyword === 'WORKDIR') {
    image.workdir = text;
    mkdirSync(join(image.directory, text), { recursive: true });
  } else if (keyword === 'COPY') copy(step, image, images, options);
  else if (keyword === 'RUN') runStep(step, image, options);
  else if (keyword === 'ENV') Object.assign(image.env, Object.fromEntries(words.map(split)));
  else if (keyword === 'USER') image.user = text.split(':')[0] ?? '0';
  else if (keyword === 'VOLUME') image.volumes.push(...words);
  else if (keyword === 'ENTRYPOINT') image.entrypoint = words;
  else if (keyword === 'CMD') image.command = words;
  else if (keyword === 'HEALTHCHECK') image.health = JSON.parse(text.slice(text.indexOf('[')));
  else if (keyword !== 'EXPOSE' && keyword !== 'STOPSIGNAL')
    throw new Error(`line ${step.line}: ${keyword} is not supported here`);
}

/** @type {(step: Step, image: Image, images: Map<string, Image>, options: Options) => void} */
function copy({ flags, words, line }, image, images, options) {
  const from = flags.find(({ name }) => name === 'from')?.value;
  const origin = from ? images.get(from)?.directory : options.context;
  if (!origin) throw new Error(`line ${line}: there is no stage ${from}`);
  const sources = words.slice(0, -1);
  const target = join(image.directory, image.workdir, words.at(-1) ?? '.');
  const intoFolder = words.at(-1)?.endsWith('/') || sources.length > 1;
  const wanted = from ? () => true : contextFilter(options);
  for (const source of sources) {
    const path = join(origin, source);
    if (!existsSync(path)) throw new Error(`line ${line}: ${source} does not exist`);
    const isFile = statSync(path).isFile();
    if (isFile && !wanted(path)) throw new Error(`line ${line}: ${source} is excluded by .dockerignore`);
    const to = isFile && intoFolder ? join(target, basename(source)) : target;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(path, to, { recursive: true, verbatimSymlinks: true, filter: wanted });
  }
}

/** @type {(options: Options) => (path: string) => boolean} */
function contextFilter({ context, ignored }) {
  const matcher = ignore.default().add(ignored);
  const exceptions = ignored.split('\n').filter(line => line.startsWith('!'));
  return path => {
    const name = relative(context, path);
    if (name === '') return true;
    // An ignored folder is still searched for its exceptions.
    return !matcher.ignores(name) || exceptions.some(line => line.startsWith(`!${name}/`));
  };
}

/** @type {(step: Step, image: Image, options: Options) => void} */
function runStep({ text, flags }, image, { base, say }) {
  // Created in advance, because the root in which the command runs is in memory.
  for (const [, top = ''] of text.matchAll(/ (\/[a-z]+)$/g))
    mkdirSync(join(image.directory, top), { recursive: true });
  say(`RUN ${text}`);
  const binds = flags.filter(({ name }) => name === 'mount').map(({ value }) => cacheOf(value ?? ''));
  const command = ['/bin/sh', '-c', text];
  const call = callInside(base, image, { mode: 'rw', user: image.user, binds, command });
  const env = { PATH: process.env.PATH, HOME: '/root', ...image.env };
  const { status } = spawnSync(call.program, call.args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`failed with ${status}: ${text}`);
}

/** @type {(mount: string) => string} */
function cacheOf(mount) {
  const { target } = Object.fromEntries(mount.split(',').map(split));
  const cache = join(homedir(), basename(target ?? ''));
  mkdirSync(cache, { recursive: true });
  return `${cache}=${target}`;
}

/**
 * The command line that runs a command inside an image built here.
 * @param {string} base
 * @param {Image} image
 * @param {{ mode: 'ro' | 'rw', user: string, binds: string[], command: string[] }} options
 */
export function callInside(base, image, { mode, user, binds, command }) {
  const args = ['--mount', '--pid', '--fork', '--kill-child', 'sh', inside];
  args.push(base, image.directory, mode, user, image.workdir, ...binds, '--', ...command);
  return { program: 'unshare', args };
}
