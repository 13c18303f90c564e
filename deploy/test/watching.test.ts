import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Shop, startShop } from '../../client/test/support/start-shop.js';
import { findFreePort } from '../../engine/drill/servers/free-port.js';
import { type PrometheusServer, startPrometheus } from '../../engine/drill/servers/prometheus.js';
import { dashboards, panelQueries } from './support/dashboards.js';
import { readExposition, unknownIn } from './support/exposition.js';
import { parseQuery } from './support/promql.js';
import { alerts, prometheusFolder, rulesFile } from './support/rules.js';
import { apiKey, bringShortLoad, operatorToken } from './support/short-load.js';

/** Panels without data here, and why. */
const without: Record<string, string> = { 'Queue and dead letters: Redis': 'REDIS_URL is not set' };

const interval = '10s';
const queries = panelQueries(interval);

let shop: Shop | undefined;
let prometheus: PrometheusServer | undefined;
let metricsUrl = '';

beforeAll(async () => {
  const metricsPort = await findFreePort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  // In sequence: if the second fails to start, the first is still stopped.
  prometheus = await startPrometheus(configFor(metricsPort));
  shop = await startShop({
    WEB_ENABLED: 'false',
    FAULTS_ENABLED: 'true',
    ENABLE_METRICS: 'true',
    METRICS_PORT: String(metricsPort),
    API_KEY: apiKey,
    OPERATOR_TOKEN: operatorToken,
    // Overrides this environment: an empty variable counts as not set.
    REDIS_URL: '',
    AMQP_URL: '',
  });
});

afterAll(() => Promise.all([shop?.close(), prometheus?.remove()]));

/** The deployed configuration, for one engine that is scraped every second. */
function configFor(metricsPort: number): string {
  const deployed = z
    .looseObject({
      scrape_configs: z.array(
        z.looseObject({ job_name: z.string(), dns_sd_configs: z.unknown().optional() }),
      ),
    })
    .parse(parse(readFileSync(join(prometheusFolder, 'prometheus.yml'), 'utf8')));
  const job = deployed.scrape_configs.find(({ job_name }) => job_name === 'doorbuster');
  if (!job) throw new Error('prometheus.yml has no job for the engine');
  const { dns_sd_configs: _, ...scrape } = job;
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [{ ...scrape, static_configs: [{ targets: [`127.0.0.1:${metricsPort}`] }] }],
  });
}

const answerSchema = z.looseObject({
  status: z.string(),
  error: z.string().optional(),
  data: z.looseObject({
    result: z.array(z.looseObject({ value: z.tuple([z.number(), z.string()]) })),
  }),
});

/** How many series with a value a query returns now. @throws if Prometheus refuses the query. */
async function countSeries(query: string): Promise<number> {
  const body = new URLSearchParams({ query });
  const response = await fetch(`${prometheus?.url}/api/v1/query`, { method: 'POST', body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${query}: ${text}`);
  return answerSchema.parse(JSON.parse(text)).data.result.filter(({ value: [, figure] }) => figure !== 'NaN')
    .length;
}

async function panelsWithoutSeries(): Promise<string[]> {
  const counts = await Promise.all(
    queries.map(async ({ panel, query }) => ({ panel, count: await countSeries(query) })),
  );
  return counts.filter(({ count }) => count === 0).map(({ panel }) => panel);
}

describe('a real Prometheus that scrapes an engine under load', () => {
  it('has a series for each query of each dashboard, and no alert fires', { timeout: 90_000 }, async () => {
    const giveUpAtMs = performance.now() + 60_000;
    let empty: string[] = [];
    for (let round = 0; performance.now() < giveUpAtMs; round++) {
      await bringShortLoad(shop?.url ?? '', round);
      empty = await panelsWithoutSeries();
      if (empty.every(panel => panel in without)) break;
    }
    expect(empty).toEqual(Object.keys(without));
    expect(queries.length).toBeGreaterThan(dashboards.length * 10);

    const rules = await readRules();
    expect(rules.map(({ name }) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    for (const { name, health, lastError } of rules)
      expect(`${name} ${health} ${lastError ?? ''}`).toBe(`${name} ok `);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
    for (const { expr } of alerts) await countSeries(expr);
  });

  it('is only queried for metrics, labels and values that the engine exposes', async () => {
    const exposition = readExposition(await (await fetch(metricsUrl)).text());
    // Without REDIS_URL this metric does not exist.
    exposition.set('doorbuster_redis_up', [{}]);
    const asked = [...queries.map(({ query }) => query), ...alerts.map(({ expr }) => expr)];
    expect(asked.flatMap(query => unknownIn(parseQuery(query), exposition))).toEqual([]);

    // The controls: an unknown metric, label, value and grouping.
    const wrong = [
      'rate(doorbuster_gate_answer_total[1m])',
      'doorbuster_queue_messages{status="ready"}',
      'doorbuster_queue_messages{state=~"ready|waiting"}',
      'sum by (result) (doorbuster_refused_total)',
    ];
    for (const query of wrong) expect(unknownIn(parseQuery(query), exposition), query).toHaveLength(1);
    expect(() => parseQuery('sum(rate(up[1m])')).toThrow('invalid PromQL');
  });

  it('offers values for the variables of the dashboards', async () => {
    for (const { templating } of dashboards) {
      for (const variable of templating.list) {
        if (variable.type !== 'query') continue;
        const [, selector = '', label] = /^label_values\((.+), (\w+)\)$/.exec(variable.definition) ?? [];
        expect(await countSeries(`count by (${label}) (${selector})`), variable.definition).toBeGreaterThan(
          0,
        );
      }
    }
  });
});

const rulesSchema = z.looseObject({
  data: z.looseObject({
    groups: z.array(
      z.looseObject({
        rules: z.array(
          z.looseObject({
            name: z.string(),
            health: z.string(),
            state: z.string(),
            lastError: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
});

async function readRules() {
  const response = await fetch(`${prometheus?.url}/api/v1/rules`);
  return rulesSchema.parse(await response.json()).data.groups.flatMap(({ rules }) => rules);
}
