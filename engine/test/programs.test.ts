import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from './support/documents.js';

const script = join(root, 'scripts', 'programs.mjs');
// Without those in Debian's /usr/sbin, which may be on this machine.
const programs = ['redis-server', 'prometheus', 'promtool', 'faketime', 'chromium'];
const nobody = 65_534;

describe('npm test', () => {
  it('first tells an ordinary user every missing program, in one message with one command', () => {
    const { status, stdout, stderr } = lookAsOrdinaryUser([]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    for (const program of programs) expect(stderr).toContain(program);
    expect(
      stderr.match(/apt-get install .*redis-server.* prometheus .*chromium|package manager/g),
    ).toHaveLength(1);
    const manifest = readFileSync(join(root, 'package.json'), 'utf8');
    expect(manifest).toContain('"pretest": "node scripts/programs.mjs && ');
    expect(manifest).toContain('"predrill": "node scripts/programs.mjs drill && ');
  });

  it('names only the missing ones', () => {
    const { status, stderr } = lookAsOrdinaryUser(programs.filter(program => program !== 'promtool'));
    expect(status).toBe(1);
    expect(stderr).toContain('promtool');
    expect(stderr).not.toContain('redis-server');
  });

  it('looks for every program that a test or a drill starts', () => {
    const sources = ['engine/test', 'engine/drill', 'deploy/test', 'web/test'].flatMap(sourcesIn).join('\n');
    const started = [...sources.matchAll(/findProgram\('([\w-]+)'/g)].map(([, name = '']) => name);
    const looked = readFileSync(script, 'utf8');
    const besideServer = 'rabbitmqctl';
    expect(started.filter(name => !looked.includes(`program: '${name}'`))).toEqual([besideServer]);
    expect(started).toContain('redis-server');
  });
});

/** The look-up with a PATH that contains only these programs. */
function lookAsOrdinaryUser(present: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'programs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  // The clone may be in a place that another user cannot read.
  copyFileSync(script, join(directory, 'programs.mjs'));
  for (const program of present) writeFileSync(join(directory, program), '', { mode: 0o755 });
  chmodSync(directory, 0o755);
  return spawnSync(process.execPath, [join(directory, 'programs.mjs')], {
    encoding: 'utf8',
    cwd: directory,
    env: { PATH: directory },
    ...(process.getuid?.() === 0 && { uid: nobody, gid: nobody }),
  });
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => readFileSync(join(root, folder, name), 'utf8'));
}
