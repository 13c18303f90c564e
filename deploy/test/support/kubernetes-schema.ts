import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Secret, Service, ServiceAccount } from 'kubernetes-models/v1';
import type { KubernetesObject } from './render-chart.js';

type Model = { validate(): void };
/** Each kind in the chart, with its schema from Kubernetes 1.27, KEDA or the Prometheus operator. */
const models: Record<string, new (value: never) => Model> = {
  'apps/v1 Deployment': Deployment,
  'autoscaling/v2 HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'batch/v1 Job': Job,
  'keda.sh/v1alpha1 ScaledObject': ScaledObject,
  'keda.sh/v1alpha1 TriggerAuthentication': TriggerAuthentication,
  'monitoring.coreos.com/v1 PodMonitor': PodMonitor,
  'networking.k8s.io/v1 Ingress': Ingress,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 Secret': Secret,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
};

/** Violations of the schema of an object's kind, including unknown fields, which the API server would drop. */
export function problemsOfObject(object: KubernetesObject): string[] {
  const kind = `${object.apiVersion} ${object.kind}`;
  const Model = models[kind];
  if (!Model) return [`${kind}: no schema for this kind`];
  const unread = new Set<string>();
  try {
    const { validate } = new Model(object as never);
    Reflect.apply(validate, watched(object, '', unread), []);
  } catch (error) {
    return [`${kind} ${object.metadata.name}: ${error instanceof Error ? error.message : String(error)}`];
  }
  return [...unread].map(path => `${kind} ${object.metadata.name}: ${path} is not known`);
}

/**
 * The schemas are compiled into functions and accept unknown fields. Such a function reads each field that it knows, by
 * name or a whole map at once. A field that it never reads therefore does not belong to the kind.
 */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => watched(item, `${path}[${index}]`, unread));
  const fields = Object.entries(value).map(([name, field]) => {
    return [name, watched(field, `${path}.${name}`, unread)] as const;
  });
  for (const [name] of fields) unread.add(`${path}.${name}`);
  return new Proxy(Object.fromEntries(fields), {
    get(target, name) {
      unread.delete(`${path}.${String(name)}`);
      return Reflect.get(target, name);
    },
  });
}
