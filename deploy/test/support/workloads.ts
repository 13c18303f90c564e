import { z } from 'zod';
import type { KubernetesObject } from './render-chart.js';

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) }).loose();
const containerSchema = z.looseObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  resources: z.looseObject({ limits: z.looseObject({ memory: z.string() }) }),
  securityContext: z.looseObject({}),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
});
const podSchema = z.looseObject({
  terminationGracePeriodSeconds: z.int(),
  automountServiceAccountToken: z.literal(false),
  securityContext: z.looseObject({}),
  topologySpreadConstraints: z.array(z.unknown()).optional(),
  containers: z.tuple([containerSchema]),
  volumes: z.array(
    z.looseObject({
      secret: z
        .looseObject({ items: z.array(z.looseObject({ key: z.string(), path: z.string() })) })
        .optional(),
    }),
  ),
});
const workloadSchema = z.looseObject({
  spec: z.looseObject({ replicas: z.int().optional(), template: z.looseObject({ spec: podSchema }) }),
});

/** The objects of the given kinds. */
export const ofKind = (objects: KubernetesObject[], ...kinds: string[]) =>
  objects.filter(({ kind }) => kinds.includes(kind));
/** The pods of Deployments and Jobs, each with one container. */
export const podsOf = (objects: KubernetesObject[] = []) =>
  ofKind(objects, 'Deployment', 'Job').map(object => {
    const { replicas, template } = workloadSchema.parse(object).spec;
    const [container] = template.spec.containers;
    return { name: object.metadata.name, replicas, pod: template.spec, container };
  });
