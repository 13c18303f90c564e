import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTestApi } from '../support/api.js';
import { createTestDatabase } from '../support/database.js';
import { callerRows, codeRows, keyRows, othersRows, trustedRows } from './callers.js';
import { endpointRows } from './endpoints.js';
import { jsonRows } from './json.js';
import { otherRows } from './other-calls.js';
import { pathRows } from './paths.js';
import type { Row } from './row.js';
import { expectUnharmed, faultsOf, openShop } from './shop.js';
import { longRows, unicodeRows } from './text.js';
import { valueRows } from './values.js';
import { webhookRows } from './webhooks.js';

type Class = { rows: readonly Row[]; identity?: 'trusted'; eachWithinMs?: number };

const classes: Record<string, Class> = {
  'bodies that are not JSON or have more than one meaning': { rows: jsonRows },
  'values of the wrong type or out of range': { rows: valueRows },
  'text that cannot be stored': { rows: unicodeRows },
  // A pattern that backtracks over 50 KB takes minutes; one that does not, well under a millisecond. The rest is
  // slack for a busy machine.
  '50 KB against every pattern': { rows: longRows, eachWithinMs: 2000 },
  'paths, queries and methods that do not exist': { rows: pathRows },
  'callers without credentials or permission': { rows: callerRows },
  'callers of a shop that trusts only its own server': { rows: trustedRows, identity: 'trusted' },
  'resources of other shoppers': { rows: othersRows },
  'codes that are forged, used, or expired': { rows: codeRows },
  'keys that are invalid, or stand for another request': { rows: keyRows },
  'webhooks without a valid signature': { rows: webhookRows },
  'calls other than purchases': { rows: otherRows },
  'webhook endpoints': { rows: endpointRows },
};

const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
// They do not read the body.
const harmless = [
  { method: 'get', path: '/api/live' },
  { method: 'get', path: '/api/health' },
  { method: 'get', path: '/api/ready' },
  { method: 'get', path: '/api/users/health' },
];

const size = Object.values(classes).reduce((sum, { rows }) => sum + rows.length, 0);

describe(`bad input (${size} rows in ${Object.keys(classes).length} classes)`, () => {
  it.each(Object.entries(classes))(
    '%s: each gets its answer, never a 500, and changes nothing',
    async (name, bad) => {
      const { rows, identity = 'demo', eachWithinMs = Number.POSITIVE_INFINITY } = bad;
      const shop = await openShop(identity);
      const before = await shop.footprint();

      const wrong: unknown[] = [];
      for (const row of rows) {
        const sentAtMs = performance.now();
        const answer = await shop.send(row);
        const tookMs = performance.now() - sentAtMs;
        const faults = faultsOf(row, answer);
        if (tookMs > eachWithinMs) faults.push(`took ${tookMs} ms`);
        if (!isDeepStrictEqual(await shop.footprint(), before)) faults.push('something changed');
        if (faults.length > 0) wrong.push({ what: row.what, path: row.path, expected: row.slug, faults });
      }
      expect(wrong).toEqual([]);
      await expectUnharmed(shop);
      shop.close();
      console.info(`bad input: ${rows.length} rows of ${size}: ${name}`);
    },
    // Each row is sent, and everything it could have changed is read; the largest class has 700 of them.
    120_000,
  );

  it('covers every call of /openapi.json', async () => {
    const { url } = await createTestDatabase();
    const api = await startTestApi(url, { IDENTITY: 'demo' });
    const { paths } = documentSchema.parse((await api.request('GET', '/openapi.json')).body);
    const rows = Object.values(classes).flatMap(bad => bad.rows);
    const isMet = (method: string, path: string) => {
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/?]+')}([?]|$)`);
      return rows.some(row => row.method.toLowerCase() === method && pattern.test(row.path));
    };
    const calls = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => ({ method, path })),
    );
    expect(calls.length).toBeGreaterThan(40);
    expect(calls.filter(({ method, path }) => !isMet(method, path))).toEqual(harmless);
  });
});
