import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { dashboards } from './support/dashboards.js';
import { root } from './support/settings.js';

const provisioned = z
  .looseObject({ datasources: z.array(z.looseObject({ type: z.string(), uid: z.string() })) })
  .parse(
    parse(readFileSync(join(root, 'deploy/grafana/provisioning/datasources/prometheus.yaml'), 'utf8')),
  ).datasources;

describe('the dashboards', () => {
  it('have unique names and link to each other', () => {
    for (const key of ['uid', 'title'] as const) {
      expect(new Set(dashboards.map(dashboard => dashboard[key])).size).toBe(dashboards.length);
    }
    for (const { file, uid, tags } of dashboards) {
      expect(file).toBe(`${uid}.json`);
      expect(tags).toEqual(['doorbuster']);
    }
  });

  it('query the provisioned Prometheus unless the user chooses another', () => {
    const prometheus = provisioned.filter(({ type }) => type === 'prometheus').map(({ uid }) => uid);
    for (const { templating, file } of dashboards) {
      const [first] = templating.list;
      expect(first, file).toMatchObject({ type: 'datasource', current: { value: prometheus[0] } });
    }
  });

  it('define every variable that they use, and use every variable that they define', () => {
    for (const { templating, panels, file } of dashboards) {
      const used = panels.flatMap(({ targets }) =>
        targets.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name)),
      );
      const names = templating.list.filter(({ type }) => type === 'query').map(({ name }) => name);
      expect(new Set(used.filter(name => name !== '__rate_interval')), file).toEqual(new Set(names));
    }
  });

  it('lay out their panels without overlap', () => {
    for (const { panels, file } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const taken = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
      );
      expect(new Set(taken).size, file).toBe(taken.length);
      for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    }
  });
});
