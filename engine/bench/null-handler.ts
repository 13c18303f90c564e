import Fastify from 'fastify';

/** The ceiling: a bare Fastify that parses the same body and answers at once. Listens on PORT. */
const app = Fastify();
app.post<{ Body: { userId?: string } }>('/api/purchase', async request => ({
  success: true,
  id: request.body.userId,
}));
// The same backlog as the engine's, so that a rush of connections does not affect the measurement.
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 8192 });
process.on('SIGTERM', () => process.exit(0));
