import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../engine/src/platform/config/config.js';
import { topologyOf } from '../../engine/src/queue/rabbitmq-topology.js';
import { problemsOfObject } from './support/kubernetes-schema.js';
import { createRenderer, type KubernetesObject, type Renderer, type Values } from './support/render-chart.js';
import { commands, problemsOf, root } from './support/settings.js';
import { ofKind, podsOf } from './support/workloads.js';

const least: Values = {
  settings: { IDENTITY: 'trusted' },
  secrets: { databaseUrl: 'postgres://doorbuster:hidden@postgres:5432/doorbuster' },
};
const own: Values = {
  queue: 'rabbitmq',
  settings: {
    IDENTITY: 'jwt',
    JWT_ISSUER: 'https://id.example',
    JWT_AUDIENCE: 'shop',
    TRUST_PROXY: '10.0.0.0/8',
    PAYMENT_PROVIDER: 'stripe',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  },
  secrets: {
    existingSecret: 'shop',
    keys: [
      ...['redis-url', 'amqp-url', 'jwt-public-key', 'sentry-dsn'],
      ...['stripe-secret-key', 'stripe-webhook-secret'],
    ],
  },
};
const everything: Values = {
  ...own,
  metrics: { podMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  image: { repository: 'registry.example/doorbuster', digest: `sha256:${'0'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  api: { autoscaling: { enabled: true }, service: { type: 'LoadBalancer', annotations: { a: 'b' } } },
  worker: { keda: { enabled: true } },
  drain: { delayMs: 4500, timeoutMs: 20_000 },
  ingress: {
    enabled: true,
    host: 'shop.example',
    className: 'nginx',
    tlsSecret: 'tls',
    annotations: { a: 'b' },
  },
  networkPolicy: {
    apiFrom: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }],
    metricsFrom: [{ podSelector: {} }],
  },
  scheduling: {
    nodeSelector: { disk: 'fast' },
    tolerations: [{ key: 'sale', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
  },
  serviceAccount: { annotations: { role: 'none' } },
  podAnnotations: { a: 'b' },
  podLabels: { team: 'sales' },
  sysctls: [{ name: 'net.core.somaxconn', value: '8192' }],
};
const variants = {
  least,
  own,
  everything,
  bare: {
    ...least,
    web: { enabled: false },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    migration: { enabled: false },
    serviceAccount: { name: 'mine' },
  },
};

// A well-formed value for each secret, so that the engine accepts it.
const contents: Record<string, string> = {
  'sentry-dsn': 'https://key@sentry.example/1',
  'database-url': 'postgres://a:b@c/d',
  'redis-url': 'redis://a',
  'amqp-url': 'amqp://a',
  'jwt-public-key': readFileSync(join(import.meta.dirname, 'support/public-key.pem'), 'utf8'),
};

let renderer: Renderer;
let rendered: Record<string, KubernetesObject[]> = {};
beforeAll(async () => {
  renderer = await createRenderer();
  rendered = Object.fromEntries(
    await Promise.all(
      Object.entries(variants).map(async ([name, values]) => [name, await renderer.render(values)] as const),
    ),
  );
});
afterAll(() => renderer.close());

const allPods = () => Object.values(rendered).flatMap(podsOf);

describe('the Helm chart', () => {
  it.each(Object.keys(variants))(
    'renders objects that match the schemas of their kinds, with values "%s"',
    name => {
      expect(rendered[name]?.length).toBeGreaterThan(5);
      expect(rendered[name]?.flatMap(problemsOfObject)).toEqual([]);
    },
  );

  it('fails the check with an unknown field or a field of the wrong type', () => {
    const [deployment] = ofKind(rendered.least ?? [], 'Deployment');
    const spoilt = { ...structuredClone(deployment), spec: { replica: 2 } };
    expect(problemsOfObject(spoilt as unknown as KubernetesObject)).not.toEqual([]);
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { port: 1 } };
    expect(problemsOfObject(service)).toEqual(['v1 Service a: .spec.port is not known']);
  });

  it('gives each process only known settings, and every secret as a mounted file', () => {
    for (const { name, pod, container } of allPods()) {
      const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
      if (container.command) continue;
      const mounted = pod.volumes.flatMap(({ secret }) => secret?.items ?? []);
      const files = mounted.map(({ key, path }) => [
        `/run/secrets/doorbuster/${path}`,
        contents[key] ?? `${key}-of-enough-characters`,
      ]);
      expect(problemsOf(environment, Object.fromEntries(files)), name).toEqual([]);
    }
  });

  it('runs only existing commands, each role once', () => {
    const run = podsOf(rendered.everything).map(({ container }) => container.args?.[0]);
    expect(run.filter(command => command !== undefined && !commands.has(command))).toEqual([]);
    expect(run.sort()).toEqual(['api', 'compensator', 'migrate', 'scheduler', 'worker', undefined]);
  });

  it('probes only existing paths of the API, on its port', () => {
    const operations = readFileSync(join(root, 'engine/src/http/routes/operations/health.ts'), 'utf8');
    const pages = ['/icon.svg'];
    const metrics = ['/metrics'];
    const probes = allPods().flatMap(({ container }) =>
      [container.startupProbe, container.livenessProbe, container.readinessProbe].filter(
        p => p !== undefined,
      ),
    );
    for (const { httpGet } of probes) {
      const isKnown = pages.includes(httpGet.path) || operations.includes(`app.get('${httpGet.path}'`);
      expect(isKnown || metrics.includes(httpGet.path)).toBe(true);
      expect(httpGet.port).toBe(metrics.includes(httpGet.path) ? 'metrics' : 'http');
    }
    const api = podsOf(rendered.least).find(({ name }) => name.endsWith('-api'));
    expect(api?.container.livenessProbe?.httpGet.path).toBe('/api/live');
    expect(api?.container.readinessProbe?.httpGet.path).toBe('/api/ready');
  });

  it('lets no container run as root, write to its image, or have a capability', () => {
    for (const { pod, container } of allPods()) {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.image).toMatch(/:\d+\.\d+\.\d+$|@sha256:/);
    }
  });

  it('gives pods a grace period longer than the drain, and spreads them', () => {
    const { DRAIN_DELAY_MS, DRAIN_TIMEOUT_MS } = readConfig({});
    for (const { pod } of podsOf(rendered.least)) {
      const mayTakeS = (DRAIN_DELAY_MS + 2 * DRAIN_TIMEOUT_MS) / 1000;
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(mayTakeS);
      expect(pod.topologySpreadConstraints).toHaveLength(2);
    }
    const api = podsOf(rendered.everything).find(({ name }) => name.endsWith('-api'));
    // 4.5 s plus twice 20 s, rounded up; 5 s in preStop, and a margin of 5.
    expect(api?.pod.terminationGracePeriodSeconds).toBe(45 + 5 + 5);
  });

  it('scales the API by CPU and workers by waiting orders, and then sets no replica count', () => {
    const objects = rendered.everything ?? [];
    const replicas = Object.fromEntries(podsOf(objects).map(({ name, replicas }) => [name, replicas]));
    expect(replicas).toMatchObject({ 'sale-doorbuster-api': undefined, 'sale-doorbuster-worker': undefined });
    expect(ofKind(objects, 'HorizontalPodAutoscaler')).toHaveLength(1);
    const queueName = topologyOf('doorbuster').orders;
    const trigger = { type: 'rabbitmq', metadata: { queueName, mode: 'QueueLength' } };
    expect(ofKind(objects, 'ScaledObject')[0]).toMatchObject({ spec: { triggers: [trigger] } });
  });

  it('counts waiting orders in an existing table of PostgreSQL if there is no broker', async () => {
    const objects = await renderer.render({ ...least, worker: { keda: { enabled: true } } });
    expect(objects.flatMap(problemsOfObject)).toEqual([]);
    const query = 'select count(*) from queue_messages';
    expect(ofKind(objects, 'ScaledObject')[0]).toMatchObject({
      spec: { triggers: [{ type: 'postgresql', metadata: { query } }] },
    });
    const migration = readFileSync(join(root, 'engine/migrations/0001_schema.sql'), 'utf8');
    expect(migration).toContain('create table queue_messages (');
  });

  it('generates different random secrets for each release, and none if one exists', async () => {
    const dataOf = (objects: KubernetesObject[]) => {
      const { data } = z
        .looseObject({ data: z.record(z.string(), z.string()) })
        .parse(ofKind(objects, 'Secret')[0]);
      return ['api-key', 'operator-token', 'secret-key', 'web-key'].map(name => atob(data[name] ?? ''));
    };
    const secrets = [...dataOf(rendered.least ?? []), ...dataOf(await renderer.render(least))];
    expect(new Set(secrets).size).toBe(8);
    for (const secret of secrets) expect(secret).toMatch(/^\w{43}$/);
    expect(ofKind(rendered.own ?? [], 'Secret')).toEqual([]);
  });

  it('migrates before anything else, after creating what the migration needs', () => {
    const weights = (rendered.least ?? [])
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'pre-install,pre-upgrade')
      .map(({ kind, metadata }) => [kind, Number(metadata.annotations?.['helm.sh/hook-weight'])]);
    expect(Object.fromEntries(weights)).toEqual({
      Job: 0,
      Secret: -10,
      ServiceAccount: -10,
      NetworkPolicy: -10,
    });
  });

  it('refuses unknown values, and an installation without identity or database', async () => {
    await expect(renderer.render({ ...least, replicas: 3 })).rejects.toThrow('Additional property replicas');
    await expect(renderer.render({ ...least, image: { tag: 'latest' } })).rejects.toThrow('image.tag');
    await expect(renderer.render({ secrets: least.secrets })).rejects.toThrow('settings.IDENTITY');
    await expect(renderer.render({ ...least, queue: 'rabbitmq' })).rejects.toThrow('secrets.amqpUrl');
    await expect(renderer.render({ settings: least.settings })).rejects.toThrow('secrets.databaseUrl');
    const ingress = { enabled: true, host: 'shop.example' };
    await expect(renderer.render({ ...least, ingress })).rejects.toThrow('settings.TRUST_PROXY');
    const plain = { ...least, settings: { IDENTITY: 'trusted', API_KEY: 'in-plain-sight-0000' } };
    await expect(renderer.render(plain)).rejects.toThrow('settings: Must not validate');
  });
});
