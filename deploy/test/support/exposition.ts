import type { Matcher, Query, Selector } from './promql.js';

type Series = Record<string, string>;
/** The exposed series by metric; those of a histogram also by the names of its parts. */
export type Exposition = Map<string, Series[]>;

// Labels that Prometheus adds to every scraped series, by its configuration, and the metrics of the scrape itself.
const ofTarget = ['job', 'instance', 'role'];
const ofScrape = ['up'];
// Labels whose values are not checked: a short load does not produce every possible value.
const openLabels = ['status_code', 'route', 'sale_id', ...ofTarget];

/** Parses Prometheus' text format as far as the engine writes it: no timestamps. */
export function readExposition(text: string): Exposition {
  const exposition: Exposition = new Map();
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const series = Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', value = '']) => [label, value]),
    );
    exposition.set(name, [...(exposition.get(name) ?? []), series]);
  }
  return exposition;
}

/** Parts of a query that the engine does not expose: metrics, labels, values of labels. */
export function unknownIn({ selectors, grouping }: Query, exposition: Exposition): string[] {
  const known = new Set([...ofTarget, ...selectors.flatMap(({ metric }) => labelsOf(metric, exposition))]);
  return [
    ...selectors.flatMap(selector => unknownInSelector(selector, exposition)),
    ...grouping.filter(label => !known.has(label)).map(label => `no metric has a label ${label}`),
  ];
}

function unknownInSelector({ metric, matchers }: Selector, exposition: Exposition): string[] {
  if (ofScrape.includes(metric)) return [];
  const all = exposition.get(metric);
  if (!all) return [`there is no metric ${metric}`];
  const labels = [...ofTarget, ...labelsOf(metric, exposition)];
  return matchers.flatMap(matcher => {
    if (!labels.includes(matcher.label)) return [`${metric} has no label ${matcher.label}`];
    if (openLabels.includes(matcher.label)) return [];
    return valuesOf(matcher)
      .filter(value => !all.some(series => new RegExp(`^(?:${value})$`).test(series[matcher.label] ?? '')))
      .map(value => `${metric} has no ${matcher.label}="${value}"`);
  });
}

/** Each alternative of a regular expression separately: one that matches nothing is a mistake, too. */
function valuesOf({ operator, value }: Matcher): string[] {
  return operator.includes('~') && !value.includes('(') ? value.split('|') : [value];
}

function labelsOf(metric: string, exposition: Exposition): string[] {
  return [...new Set((exposition.get(metric) ?? []).flatMap(series => Object.keys(series)))];
}
