import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { promtool } from '../../engine/drill/servers/prometheus.js';
import { alerts, cases, prometheusFolder, rulesFile, testFiles } from './support/rules.js';
import { root } from './support/settings.js';

const names = alerts.map(({ alert }) => alert);

describe('the rules for Prometheus', () => {
  it('are valid for Prometheus, as is the configuration that names them', async () => {
    for (const what of ['config', 'rules']) {
      const file = what === 'rules' ? rulesFile : join(prometheusFolder, 'prometheus.yml');
      expect(await promtool(['check', what, file])).toMatchObject({ isOk: true });
    }
    const { output } = await promtool(['check', 'config', join(prometheusFolder, 'prometheus.yml')]);
    expect(output).toContain(`${alerts.length} rules found`);
  });

  it('fire exactly when they should, with the expected texts', async () => {
    const { isOk, output } = await promtool(['test', 'rules', ...testFiles]);
    expect(isOk, output).toBe(true);
  });

  it('each have a case in which they fire and one in which they do not', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const fires of [true, false]) {
      const covered = new Set(cases.filter(one => one.fires === fires).map(({ alert }) => alert));
      expect([...covered].sort()).toEqual([...names].sort());
    }
  });

  // The controls: with a condition that never holds, or always holds, the tests of each alert fail.
  it.each(['vector(1) < 0', 'vector(1)'])('would fail their tests if each condition were %s', async query => {
    const directory = mkdtempSync(join(tmpdir(), 'doorbuster-rules-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const changed = readFileSync(rulesFile, 'utf8').replaceAll(
      /^( +)expr: (?:\|\n(?:\1 +.*\n)+|.*\n)/gm,
      `$1expr: ${query}\n`,
    );
    writeFileSync(join(directory, 'rules.yml'), changed);
    const files = testFiles.map((file, position) => {
      const copy = join(directory, `tests-${position}.yml`);
      writeFileSync(copy, readFileSync(file, 'utf8').replace('../rules/doorbuster.yml', 'rules.yml'));
      return copy;
    });
    const { isOk, output } = await promtool(['test', 'rules', ...files]);
    expect(isOk).toBe(false);
    const failed = new Set([...output.matchAll(/alertname: ?(Doorbuster\w+)/g)].map(([, name]) => name));
    expect([...failed].sort()).toEqual([...names].sort());
  });
});

describe('docs/runbook.md', () => {
  const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8');
  const sections = runbook.split(/^## /m).slice(1);
  const ofAlerts = sections.filter(section => section.startsWith('Doorbuster'));

  it('has a section for each alert and no others', () => {
    expect(ofAlerts.map(section => section.split('\n', 1)[0])).toEqual(names);
  });

  it('says in each section what the alert means, what shoppers see, what to look at and what to do', () => {
    for (const section of ofAlerts) {
      const words = [...section.matchAll(/^- \*\*(.+?)\.\*\* /gm)].map(([, word]) => word);
      expect(words, section.slice(0, 40)).toEqual(['Means', 'Shoppers see', 'Look at', 'Do']);
    }
  });

  it('is the target of every runbook_url', () => {
    for (const { alert, annotations } of alerts) {
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });
});
