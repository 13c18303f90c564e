import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ignore from '@balena/dockerignore';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readDockerfile, split } from '../image/read-dockerfile.mjs';
import { commands, problemsOf, root } from './support/settings.js';

const text = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
const stages = readDockerfile(join(root, 'deploy/Dockerfile'));
const last = stages.at(-1)?.steps ?? [];
const wordsOf = (keyword: string) =>
  last.filter(step => step.keyword === keyword).flatMap(step => step.words);
const ignored = ignore.default().add(readFileSync(join(root, '.dockerignore'), 'utf8'));

describe('the Dockerfile', () => {
  it('passes a linter for Dockerfiles', () => {
    expect(validate(text)).toEqual([]);
    // The control: the linter finds an error.
    expect(validate(`${text}\nENTRYPOINT\n`)).not.toEqual([]);
  });

  it('names its base image by an exact version in all stages', () => {
    const bases = stages.map(({ base }) => base).filter(base => !stages.some(({ name }) => name === base));
    for (const base of bases) expect(base).toMatch(/^node:\d+\.\d+\.\d+-bookworm-slim$/);
    expect(bases.length).toBeGreaterThan(1);
  });

  it('installs from the lockfile without scripts, and omits development dependencies in production', () => {
    const installs = stages.flatMap(({ name, steps }) =>
      steps.filter(({ text }) => text.includes('npm ')).map(({ text }) => ({ name, text })),
    );
    for (const { text } of installs) expect(text).toMatch(/^npm ci --ignore-scripts /);
    expect(installs.find(({ name }) => name === 'production')?.text).toContain('--omit=dev');
  });

  it('copies the manifest of each workspace, which the lockfile requires', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { workspaces } = z.looseObject({ workspaces: z.array(z.string()) }).parse(manifest);
    const copied = stages.flatMap(({ steps }) => steps.flatMap(({ words }) => words));
    for (const workspace of workspaces) expect(copied).toContain(`${workspace}/package.json`);
  });

  it('does not run as root, and uses only known settings and a known command', () => {
    expect(wordsOf('USER')).toEqual(['1000:1000']);
    const environment = Object.fromEntries(wordsOf('ENV').map(split));
    // Only Next reads it.
    delete environment.NEXT_TELEMETRY_DISABLED;
    expect(problemsOf({ ...environment, IDENTITY: 'demo' }, {})).toEqual([]);
    expect(environment.NODE_ENV).toBe('production');
    expect(wordsOf('VOLUME')).toEqual([environment.DATA_DIR]);
    expect(wordsOf('EXPOSE')).toEqual([environment.PORT]);
    expect(commands).toContain(wordsOf('CMD')[0]);
  });

  it('copies only existing files that .dockerignore admits', () => {
    for (const { words, flags } of stages.flatMap(({ steps }) => steps.filter(s => s.keyword === 'COPY'))) {
      if (flags.some(({ name }) => name === 'from')) continue;
      for (const source of words.slice(0, -1)) {
        expect(existsSync(join(root, source)), source).toBe(true);
        if (source !== '.') expect(ignored.ignores(source), source).toBe(false);
      }
    }
  });

  it('receives no secret, no local installation or build output, and no history', () => {
    const kept = ['.git/config', '.doorbuster/api-key', 'deploy/secrets/api-key', '.env', 'web/.env.local'];
    const made = ['node_modules/pg/package.json', 'engine/dist/cli/main.js', 'web/.next/BUILD_ID'];
    for (const path of [...kept, ...made]) expect(ignored.ignores(path), path).toBe(true);
    expect(ignored.ignores('engine/src/cli/main.ts')).toBe(false);
  });
});
