import { describe, expect, it } from 'vitest';
import { startTestApi } from './support/api.js';
import { createJudge, type Judge } from './support/api-calls.js';
import { findProblem } from './support/commands.js';
import { createTestDatabase } from './support/database.js';
import { documents, inlineCode, livingDocuments, readDocument, shellBlocks } from './support/documents.js';
import { shellCommands } from './support/shell.js';

async function startJudge(): Promise<Judge> {
  const { url } = await createTestDatabase();
  const api = await startTestApi(url);
  return createJudge(await (await fetch(`${api.url}/openapi.json`)).json());
}

/** A reader fills in each placeholder in < >, and has the shop's address in SHOP. */
const commandsOf = (script: string) =>
  shellCommands(script.replaceAll(/<([\w-]+)>/g, '$1').replaceAll('$SHOP', 'http://127.0.0.1:3000'));

async function problemsIn(script: string, judge: Judge): Promise<string[]> {
  const problems = await Promise.all(commandsOf(script).map(words => findProblem(words, judge)));
  return problems.filter(problem => problem !== undefined);
}

describe('the commands in the documents', () => {
  it('can be run as written: program, verb, options, addresses and bodies', async () => {
    const judge = await startJudge();
    let count = 0;
    for (const document of documents) {
      for (const block of shellBlocks(readDocument(document))) {
        expect(await problemsIn(block, judge), document).toEqual([]);
        count += commandsOf(block).length;
      }
    }
    expect(count).toBeGreaterThan(50);
  });

  it('in running text name only existing verbs, options and calls', async () => {
    const judge = await startJudge();
    let count = 0;
    for (const document of livingDocuments) {
      for (const code of inlineCode(readDocument(document))) {
        const [, method, path = ''] = /^(GET|POST|PUT|PATCH|DELETE) (\/api\/[^\s,]*)/.exec(code) ?? [];
        const isCommand = /^(npm|npx|doorbuster|node [\w-]+\/|curl) [^|]*$/.test(code);
        if (method === undefined && !isCommand) continue;
        const problem = method
          ? await judge({ method, path })
          : (await problemsIn(code.replaceAll('…', '').replaceAll('...', ''), judge)).join();
        expect(problem || undefined, `${document}: ${code}`).toBeUndefined();
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(100);
  });

  it.each([
    ['npm run lode', 'package.json has no script lode'],
    ['npm strat', 'package.json has no script strat'],
    ['npm run load -- --scenario ras', 'ras'],
    ['npm run load -- --scenario race --speed 3', '--speed'],
    ['npm run drill -- --fault flood', 'flood'],
    ['npm run bench -- --quik', 'npm run bench has no --quik'],
    ['npx doorbuster audits', 'doorbuster has no verb audits'],
    ['npx doorbuster audit --jsno', 'doorbuster audit takes no --jsno'],
    ['FOO=1 doorbuster api --processes', 'needs a value'],
    ['npx vitest run --project engine test/gone.test.ts', 'there is no engine/test/gone.test.ts'],
    ['node scripts/gone.mjs', 'there is no scripts/gone.mjs'],
    ['sudo node deploy/gone.mjs', 'there is no deploy/gone.mjs'],
    ['KEY=$(doorbuster kei)', 'doorbuster has no verb kei'],
    ['echo "$(npm run gone)" | tee x', 'package.json has no script gone'],
    ['pg_dupm > x', 'pg_dupm is a program that this test does not know'],
    ['curl -s http://127.0.0.1:3000/api/stocks/1', 'there is no /api/stocks/1'],
    ['curl -X PUT http://127.0.0.1:3000/api/orders', '/api/orders takes no PUT'],
    ["curl 'http://127.0.0.1:3000/api/products?page=2'", 'GET /api/products has no parameter page'],
    ["curl http://127.0.0.1:3000/api/purchase -d '{}'", 'has no JSON content type'],
    [
      `curl http://127.0.0.1:3000/api/purchase -H 'Content-Type: application/json' \\\n -d '{"product": 1}'`,
      'its body',
    ],
  ])('are reported when wrong: %s', async (script, expected) => {
    expect((await problemsIn(script, await startJudge())).join('; ')).toContain(expected);
  });
});
