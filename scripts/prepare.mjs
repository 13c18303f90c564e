// Prepares a fresh clone: installs from the lockfile and builds what is missing or stale. It runs before `npm start`,
// `npm test` and other commands, so it uses only Node itself and is fast when there is nothing to do.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWeb, isWebBuilt } from './build-web.mjs';
import { copySql } from './copy-sql.mjs';
import { withLock } from './prepare-lock.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installStamp = join(root, 'node_modules', '.doorbuster-lock');
const buildStamp = join(root, 'engine', 'dist', '.prepared');
const installCommand = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];

/** The projects that `npm start` and similar commands run. Tests are not built: vitest reads their sources. */
const projects = [
  { project: 'client', sources: 'client/src', output: 'client/dist' },
  { project: 'engine', sources: 'engine/src', output: 'engine/dist' },
  { project: 'engine/tsconfig.bench.json', sources: 'engine/bench', output: 'engine/dist-bench' },
  { project: 'engine/tsconfig.drill.json', sources: 'engine/drill', output: 'engine/dist-drill' },
  { project: 'loadgen', sources: 'loadgen/src', output: 'loadgen/dist' },
];
const settings = [
  'package-lock.json',
  'tsconfig.base.json',
  'client/tsconfig.json',
  'engine/tsconfig.json',
  'loadgen/tsconfig.json',
];

/** A step that failed, with the command that repeats it by hand. */
class StepFailed extends Error {
  /**
   * @param {string} problem
   * @param {string} command
   */
  constructor(problem, command) {
    super(`${problem}\nTo run this step by hand: ${command}`);
  }
}

try {
  checkNodeVersion();
  const installOnly = process.argv.includes('--install-only');
  if (!isReady(installOnly)) {
    await withLock(join(root, '.prepare.lock'), async () => {
      if (!isInstalled()) await install();
      if (!installOnly) await buildAll();
    });
  }
} catch (error) {
  console.error(`prepare: ${error instanceof Error ? error.message : error}`);
  if (isUnwritable(error))
    console.error(
      `Cannot write to ${root}, where something must be installed or built. Run this as its owner.`,
    );
  process.exit(1);
}

/** @param {unknown} error */
function isUnwritable(error) {
  return error instanceof Error && 'code' in error && ['EACCES', 'EROFS'].includes(`${error.code}`);
}

/** @param {boolean} installOnly */
function isReady(installOnly) {
  return isInstalled() && (installOnly || (isBuilt() && isWebBuilt()));
}

function checkNodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Error(
    `Node 20.19 or newer is required; this is ${process.version}. See https://nodejs.org/en/download`,
  );
}

function isInstalled() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) return false;
  if (readIfThere(installStamp) === installFingerprint()) return true;
  if (existsSync(installStamp) || !installedByHand()) return false;
  markInstalled();
  return true;
}

/** Includes the platform: a node_modules copied from another system has the wrong binaries. */
function installFingerprint() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** Whether a manual `npm ci` or `npm install` has installed what the lockfile lists. Then no network is needed. */
function installedByHand() {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, link, optional, devOptional }]) => {
    if (!path.includes('node_modules/') || link === true) return true;
    if (present[path] === undefined) return optional === true || devOptional === true;
    return present[path].version === version && existsSync(join(root, path));
  });
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }>}
 */
function packagesOf(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

/** A directory of another user stays without the stamp; the comparison is then repeated each time. */
function markInstalled() {
  try {
    writeFileSync(installStamp, installFingerprint());
  } catch (error) {
    if (!isUnwritable(error)) throw error;
  }
}

async function install() {
  const reason = existsSync(join(root, 'node_modules')) ? 'package-lock.json has changed' : 'first run';
  // An interrupted installation must not count as complete.
  rmSync(installStamp, { force: true });
  await timed(`installing dependencies (${reason})`, async () => {
    const npm = process.env.npm_execpath ?? '';
    // Other package managers do not read package-lock.json.
    const [command, ...args] = basename(npm) === 'npm-cli.js' ? [process.execPath, npm] : ['npm'];
    await run(command, [...args, ...installCommand], `npm ${installCommand.join(' ')}`);
  });
  markInstalled();
}

function isBuilt() {
  return outputsExist() && readIfThere(buildStamp) === buildFingerprint();
}

function outputsExist() {
  return presentProjects().every(({ output }) => existsSync(join(root, output, '.tsbuildinfo')));
}

/** tsc fails on a project without sources. */
function presentProjects() {
  return projects.filter(({ sources }) => filesIn(sources).some(path => path.endsWith('.ts')));
}

/** Hashes contents rather than times: git, Docker and archives set file times differently. */
function buildFingerprint() {
  const hash = createHash('sha256').update(process.version);
  for (const path of [
    ...settings,
    'engine/tsconfig.bench.json',
    'engine/tsconfig.drill.json',
    ...projects.flatMap(({ sources }) => filesIn(sources)),
  ]) {
    hash.update(`\0${path}\0`).update(readIfThere(join(root, path)) ?? '');
  }
  return `${hash.digest('hex')}\n`;
}

/**
 * @param {string} directory
 * @returns {string[]} sorted paths of source files, from the root
 */
function filesIn(directory) {
  if (!existsSync(join(root, directory))) return [];
  const names = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' });
  return names
    .filter(name => /\.(ts|sql|json)$/.test(name) && !name.endsWith('.test.ts'))
    .sort()
    .map(name => `${directory}/${name}`);
}

/** The pages contain the client's code, so the client comes first; the rest is built beside them. */
async function buildAll() {
  // Taken before the build, so that a change saved during the build is built next time.
  const fingerprint = buildFingerprint();
  const isStale = !isBuilt();
  const isWebStale = !isWebBuilt();
  // tsc does not notice a partly deleted dist, because it only reads its own build info.
  const force = existsSync(buildStamp) ? [] : ['--force'];
  const present = presentProjects().map(({ project }) => project);
  const client = present.filter(project => project === 'client');
  const others = present.filter(project => project !== 'client');
  if (isStale && client.length > 0) await timed('building the client', () => compile(client, force));
  await Promise.all([
    isStale && timed('building the engine', () => compile(others, force)),
    isWebStale && timed('building the pages', buildWeb),
  ]);
  if (!isStale) return;
  copySql();
  mkdirSync(dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, fingerprint);
}

/**
 * @param {string[]} projects
 * @param {string[]} options
 */
async function compile(projects, options) {
  const args = ['node_modules/typescript-7/bin/tsc', '-b', ...projects, ...options];
  await run(process.execPath, args, `node ${args.join(' ')}`);
}

/**
 * @param {string} what
 * @param {() => Promise<void>} work
 */
async function timed(what, work) {
  console.log(`prepare: ${what} ...`);
  const startedAt = performance.now();
  await work();
  console.log(`prepare: ${what} took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} byHand
 * @returns {Promise<void>}
 */
function run(command, args, byHand) {
  return new Promise((resolve, reject) => {
    // On Windows npm is a script, which only a shell can run.
    const shell = process.platform === 'win32' && command === 'npm';
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', shell });
    child.on('error', error => reject(new StepFailed(`${command} cannot be run: ${error.message}`, byHand)));
    child.on('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new StepFailed(`${basename(command)} ended with ${signal ?? `code ${code}`}.`, byHand));
    });
  });
}

/** @param {string} path */
function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
