import pino from 'pino';
import { readConfig } from '../platform/config/config.js';
import { createMemory } from './api/memory.js';
import { createApiServer } from './api/start-api.js';
import { createParts } from './parts.js';

// Refuses every connection at once. Routes are registered without a query, so nothing waits for it.
const databaseUrl = 'postgresql://nobody@127.0.0.1:1/none';

/** The OpenAPI description of the API, from its routes alone: it queries no database and opens no port. */
export async function describeApi(): Promise<object> {
  const parts = await createParts({
    config: readConfig({ LOG_LEVEL: 'silent' }),
    secrets: { apiKeys: [], operators: [], secretKey: '', csrfSecret: '' },
    databaseUrl,
    logger: pino({ level: 'silent' }),
  });
  const memory = createMemory(parts);
  const { server } = await createApiServer(parts, memory);
  try {
    await server.ready();
    return server.swagger();
  } finally {
    await server.close();
    await memory.close();
    await parts.close();
  }
}
