import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { openHelm } from './helm.js';

const chart = fileURLToPath(new URL('../../helm/doorbuster', import.meta.url));
// The oldest Kubernetes that Chart.yaml allows. `helm template` contacts no cluster.
const kubernetes = '1.27.0';

export type Values = Record<string, unknown>;

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
});
export type KubernetesObject = z.output<typeof objectSchema>;

export type Renderer = {
  /** The objects that the chart renders from these values. @throws if the schema or a template refuses them. */
  render(values: Values): Promise<KubernetesObject[]>;
  close(): Promise<void>;
};

/** Renders the chart with Helm, as a first installation of the release "sale" in the namespace "shop". */
export async function createRenderer(): Promise<Renderer> {
  const helm = await openHelm();
  return {
    async render(values) {
      const file = join(tmpdir(), `doorbuster-values-${randomUUID()}.json`);
      await writeFile(file, JSON.stringify(values));
      const release = ['sale', chart, '--namespace', 'shop', '--kube-version', kubernetes];
      const rendered = helm.run('template', ...release, '--values', file);
      const text = await rendered.finally(() => rm(file));
      return parseAllDocuments(text)
        .map(document => {
          for (const error of document.errors) throw error;
          const value: unknown = document.toJS();
          return value;
        })
        .filter(value => value !== null)
        .map(value => objectSchema.parse(value));
    },
    close: helm.close,
  };
}
