// Looks for programs that npm does not install and that the tests start (with the argument `drill`: the drills; with
// `failover`: the failover drill). As root on Debian it installs missing ones. Otherwise it lists them with the command
// that installs them, and fails.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Needed
 * @property {string} program
 * @property {string} debianPackage
 * @property {string[]} [substitutes] other names or paths of a program that serves as well
 */

/** @type {Needed[]} */
const forDrills = [
  { program: 'redis-server', debianPackage: 'redis-server' },
  { program: 'rabbitmq-server', debianPackage: 'rabbitmq-server' },
  { program: 'faketime', debianPackage: 'faketime' },
];
/** @type {Needed[]} */
const forFailover = [
  ...forDrills,
  { program: 'patroni', debianPackage: 'patroni' },
  { program: 'etcd', debianPackage: 'etcd-server' },
  { program: 'haproxy', debianPackage: 'haproxy' },
  { program: 'pg_rewind', debianPackage: 'postgresql', substitutes: serverPrograms('pg_rewind') },
];
/** @type {Needed[]} */
const forTests = [
  ...forDrills,
  { program: 'prometheus', debianPackage: 'prometheus' },
  { program: 'promtool', debianPackage: 'prometheus' },
  { program: 'pgbouncer', debianPackage: 'pgbouncer' },
  {
    program: 'chromium',
    debianPackage: 'chromium',
    substitutes: [
      process.env.CHROMIUM_PATH ?? '',
      ...['chromium-browser', 'google-chrome'],
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    ],
  },
  // On Linux on x64, npm installs Helm.
  ...(process.platform === 'linux' && process.arch === 'x64'
    ? []
    : [{ program: 'helm', debianPackage: 'helm' }]),
];

// Debian installs servers in a folder that is not on the PATH of ordinary users.
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
const [command, needed] = neededFor(process.argv[2]);

const isDebian = isExecutable('/usr/bin/apt-get');
const missing = missingPrograms();
if (missing.length > 0 && isDebian && process.getuid?.() === 0) install(packagesOf(missing));
const stillMissing = missingPrograms();
if (stillMissing.length > 0) {
  console.error(explain(stillMissing));
  process.exit(1);
}

/**
 * @param {string | undefined} use
 * @returns {[string, Needed[]]}
 */
function neededFor(use) {
  if (use === 'drill') return ['npm run drill', forDrills];
  if (use === 'failover') return ['npm run drill -- --fault postgres-failover', forFailover];
  return ['npm test', forTests];
}

/**
 * Debian keeps the programs of each major version of PostgreSQL in a separate folder that is not on the PATH.
 * @param {string} program
 */
function serverPrograms(program) {
  const folder = '/usr/lib/postgresql';
  const versions = existsSync(folder) ? readdirSync(folder) : [];
  return versions.map(version => join(folder, version, 'bin', program));
}

function missingPrograms() {
  return needed.filter(({ program, substitutes = [] }) => ![program, ...substitutes].some(isThere));
}

/** @param {string} program a name, or an absolute path */
function isThere(program) {
  if (program.includes('/')) return isExecutable(program);
  return program !== '' && folders.some(folder => isExecutable(join(folder, program)));
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {Needed[]} programs */
function packagesOf(programs) {
  return [...new Set(programs.map(({ debianPackage }) => debianPackage))];
}

/** @param {string[]} packages */
function install(packages) {
  console.log(`programs: installing Debian's packages ${packages.join(', ')} ...`);
  const script = join(dirname(fileURLToPath(import.meta.url)), 'install-debian-packages.sh');
  const { status, stdout, stderr } = spawnSync('sh', [script, ...packages], { encoding: 'utf8' });
  if (status !== 0) console.error(`${stdout}${stderr}`);
}

/** @param {Needed[]} programs */
function explain(programs) {
  const names = programs.map(({ program }) => program).join(', ');
  const remedy = isDebian
    ? `Install them, without starting any service:\n\n  sudo apt-get update && sudo RUNLEVEL=1 apt-get install -y --no-install-recommends ${packagesOf(programs).join(' ')}\n`
    : 'Install them with your package manager, and make sure that they are on the PATH.';
  return `${command} starts its own servers, and these programs are missing: ${names}.\n${remedy}`;
}
