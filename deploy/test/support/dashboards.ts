import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from './settings.js';

const datasourceSchema = z.strictObject({
  type: z.literal('prometheus'),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's syntax for a variable of the dashboard.
  uid: z.literal('${datasource}'),
});
const targetSchema = z.strictObject({
  refId: z.string(),
  expr: z.string().min(1),
  legendFormat: z.string(),
  datasource: datasourceSchema,
});
const panelSchema = z.looseObject({
  id: z.int(),
  type: z.enum(['timeseries', 'stat']),
  title: z.string().min(1),
  description: z.string().min(1),
  datasource: datasourceSchema,
  gridPos: z.strictObject({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
  fieldConfig: z.looseObject({ defaults: z.looseObject({ unit: z.string().min(1) }) }),
  targets: z.array(targetSchema).min(1),
});
const variableSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('datasource'), name: z.literal('datasource') }),
  z.looseObject({ type: z.literal('query'), name: z.string(), definition: z.string() }),
]);
const dashboardSchema = z.looseObject({
  uid: z.string().min(1),
  title: z.string().min(1),
  description: z.string().min(1),
  schemaVersion: z.int(),
  tags: z.array(z.string()),
  templating: z.strictObject({ list: z.array(variableSchema) }),
  panels: z.array(panelSchema).min(1),
});

const folder = join(root, 'deploy/grafana/dashboards');

export const dashboards = readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .map(name => ({
    file: name,
    ...dashboardSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))),
  }));

/** Every query of every panel. @param interval replaces Grafana's $__rate_interval. */
export function panelQueries(interval: string) {
  return dashboards.flatMap(({ title: dashboard, panels }) =>
    panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => ({ panel: `${dashboard}: ${title}`, query: fillIn(expr, interval) })),
    ),
  );
}

/** Fills in variables as Grafana does before a query, with "All" chosen for each. */
function fillIn(expr: string, interval: string): string {
  return expr.replaceAll('$__rate_interval', interval).replaceAll(/\$\w+/g, '.*');
}
