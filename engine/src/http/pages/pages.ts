import helmet from '@fastify/helmet';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/**
 * What a browser shows as a page, with the headers that confine it. They belong to a scope of their own: on every answer
 * they would cost half the throughput, and a client that reads JSON heeds none of them.
 */
export async function registerPages(app: FastifyInstance): Promise<void> {
  await app.register(async pages => {
    await pages.register(helmet, {
      contentSecurityPolicy: {
        directives: {
          // Scripts and data are our own; the pages set styles on their elements, and draw their icons from data: URLs.
          'default-src': ["'self'"],
          'style-src': ["'self'", "'unsafe-inline'"],
          'font-src': ["'self'"],
          'frame-ancestors': ["'none'"],
          // Without TLS, as on one machine, it would ask for addresses that nobody listens on.
          'upgrade-insecure-requests': null,
        },
      },
      // Whether a whole host is to be reached over TLS alone is for whoever ends TLS to say.
      strictTransportSecurity: false,
      xFrameOptions: { action: 'deny' },
    });
    await pages.register(swaggerUi, { routePrefix: '/docs' });
  });
}
