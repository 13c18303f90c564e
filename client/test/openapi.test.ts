import openapiTs, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { expect, inject, it } from 'vitest';

// After a change to the API: npx vitest run --project client test/openapi.test.ts -u
it('the types of the client match /openapi.json', async () => {
  const nodes = await openapiTs(new URL(`${inject('shopUrl')}/openapi.json`));
  await expect(`${COMMENT_HEADER}${astToString(nodes)}`).toMatchFileSnapshot('../src/openapi.ts');
});
