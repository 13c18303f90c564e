import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from './settings.js';

const alertSchema = z.strictObject({
  alert: z.string().regex(/^Doorbuster[A-Z]\w+$/),
  expr: z.string().min(1),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({
    summary: z.string().min(10),
    description: z.string().min(40),
    runbook_url: z.string(),
  }),
});
const rulesSchema = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alertSchema) })),
});
const testsSchema = z.looseObject({
  tests: z.array(
    z.looseObject({
      alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
});

export const prometheusFolder = join(root, 'deploy/prometheus');
export const rulesFile = join(prometheusFolder, 'rules/doorbuster.yml');
export const testFiles = readdirSync(join(prometheusFolder, 'tests'))
  .sort()
  .map(name => join(prometheusFolder, 'tests', name));

export const alerts = rulesSchema
  .parse(parse(readFileSync(rulesFile, 'utf8')))
  .groups.flatMap(({ rules }) => rules);

/** Each case of promtool's tests: the alert, and whether it should fire. */
export const cases = testFiles
  .flatMap(file => testsSchema.parse(parse(readFileSync(file, 'utf8'))).tests)
  .flatMap(test => test.alert_rule_test)
  .map(({ alertname, exp_alerts }) => ({ alert: alertname, fires: exp_alerts.length > 0 }));
