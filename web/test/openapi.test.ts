import openapiTs, { astToString, COMMENT_HEADER } from 'openapi-typescript';
import { expect, inject, it } from 'vitest';

// After a change of the API: npx vitest run --project web test/openapi.test.ts -u
it('the types that the pages are built on are those of /openapi.json', async () => {
  const nodes = await openapiTs(new URL(`${inject('shopUrl')}/openapi.json`));
  await expect(`${COMMENT_HEADER}${astToString(nodes)}`).toMatchFileSnapshot('../src/api/openapi.ts');
});
