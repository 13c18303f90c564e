import { expect, it } from 'vitest';
import { createTestDatabase } from './support/database.js';
import { type EngineProcess, startRoleProcess } from './support/engine.js';

const path = '/api/admin/session';
const env = {
  IDENTITY: 'trusted',
  OPERATOR_TOKEN: 'secret-of-operator-000000',
  OPERATORS: 'ann:secret-of-ann-000000,bob:secret-of-bob-000000,eve:secret-of-eve-000000',
};

it("an operator's session ends with the operator’s removal or a change of the secret, and otherwise outlives a restart", async () => {
  const { url } = await createTestDatabase();
  const before = await startRoleProcess('api', url, env);
  const operator = await signIn(before, 'operator', env.OPERATOR_TOKEN);
  const ann = await signIn(before, 'ann', 'secret-of-ann-000000');
  const bob = await signIn(before, 'bob', 'secret-of-bob-000000');
  const eve = await signIn(before, 'eve', 'secret-of-eve-000000');
  const statuses = (engine: EngineProcess) =>
    Promise.all(
      [operator, ann, bob, eve].map(async headers => (await fetch(engine.url + path, { headers })).status),
    );
  expect(await statuses(before)).toEqual([200, 200, 200, 200]);
  await before.kill('SIGTERM');

  // The operator now called ann has not opened a session yet, and eve has been removed.
  const changed = {
    OPERATOR_TOKEN: 'another-secret-000000',
    OPERATORS: 'ann:another-secret-of-ann-000000,bob:secret-of-bob-000000',
  };
  const after = await startRoleProcess('api', url, { ...env, ...changed });
  expect(await statuses(after)).toEqual([401, 401, 200, 401]);
  const listed = await (await fetch(`${after.url}/api/admin/sessions`, { headers: bob })).json();
  expect(listed).toMatchObject({ sessions: [{ operator: 'bob' }] });
}, 120_000);

async function signIn({ url }: EngineProcess, operator: string, secret: string): Promise<{ cookie: string }> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ operator, secret }),
  });
  expect(answer.status).toBe(201);
  return { cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
}
