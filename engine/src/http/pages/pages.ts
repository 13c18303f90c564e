import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { pageHeaders, referencePolicy } from './page-policy.js';

/**
 * The API's reference, with the headers that confine a page in a browser. They are set in a separate scope, because
 * clients that read JSON ignore them.
 */
export async function registerPages(app: FastifyInstance): Promise<void> {
  await app.register(async pages => {
    pages.addHook('onRequest', (_request, reply, done) => {
      reply.headers({ ...pageHeaders, 'content-security-policy': referencePolicy });
      done();
    });
    await pages.register(swaggerUi, { routePrefix: '/docs' });
  });
}
