import { describe, expect, it } from 'vitest';
import { problemExamplesOf, sendExample } from './support/api-examples.js';
import { differencesFrom } from './support/example-differences.js';
import {
  calls,
  description,
  type ExampleReport,
  operatorHeaders,
  startForExamples,
} from './support/example-engine.js';
import { exampleScenes } from './support/example-scenes.js';

describe('the examples in /openapi.json', () => {
  it('cover every body and every answer, and match the answers of a running engine', async () => {
    const report: ExampleReport = { compared: new Set(), differences: [] };
    for (const scene of exampleScenes) await scene(report);

    expect(report.differences).toEqual([]);
    const wanted = Object.entries(calls).flatMap(([name, { answers }]) =>
      Object.keys(answers).map(answer => `${name} ${answer}`),
    );
    expect([...report.compared].sort()).toEqual(wanted.sort());
    expect(Object.values(calls).filter(({ hasBody, body }) => hasBody && body === undefined)).toEqual([]);
  }, 60_000);

  it('are the same whether printed without a database or served by an API', async () => {
    const { api } = await startForExamples();
    expect((await api.request('GET', '/openapi.json')).body).toEqual(JSON.parse(JSON.stringify(description)));
  });

  it('show a problem as the engine answers it', async () => {
    const { api } = await startForExamples();
    const { status, body } = await api.request('GET', '/api/orders', { headers: {} });
    expect({ status, body }).toEqual({
      status: 401,
      body: problemExamplesOf(description)['not-authenticated'],
    });
  });

  it('differ from an answer with another key, type or value', () => {
    for (const answer of right) expect(differencesFrom(example, answer), JSON.stringify(answer)).toEqual([]);
    for (const answer of wrong)
      expect(differencesFrom(example, answer), JSON.stringify(answer)).not.toEqual([]);
  });

  it('differ from the answer to another request', async () => {
    const { api } = await startForExamples();
    const call = calls.createProduct;
    const body = { name: 'Other trainers', priceMinor: 1, currency: 'EUR' };
    if (!call) throw new Error('/openapi.json does not describe createProduct');
    const { differences } = await sendExample(api.url, { ...call, body }, { headers: operatorHeaders });
    expect(differences).toContain('201 application/json.name is "Other trainers", not "Meridian trainers"');
  });
});

const example = {
  id: 1,
  at: '2026-11-20T12:00:00.000Z',
  token: 'x',
  list: [{ a: true }],
  none: [],
  no: null,
};
const right = [
  example,
  { ...example, at: '2020-01-01T00:00:00.000Z', token: 'y' },
  { ...example, list: [{ a: true }, { a: false }] },
];
const wrong = [
  { ...example, id: 2 },
  { ...example, id: '1' },
  { ...example, at: 'yesterday' },
  { ...example, token: 7 },
  { ...example, token: null },
  { ...example, list: [{ a: false }] },
  { ...example, list: [] },
  { ...example, none: [1] },
  { ...example, no: 0 },
  { ...example, more: 1 },
  { id: 1 },
  null,
];
