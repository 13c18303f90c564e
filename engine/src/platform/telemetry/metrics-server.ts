import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Metrics } from './metrics.js';

export type MetricsServer = {
  /** Where it listens, such as http://127.0.0.1:9464/metrics */
  url: string;
  close(): Promise<void>;
};

// Enough for a few scrapers, each with a persistent connection, and an operator with curl.
const connectionsMax = 32;
const requestTimeoutMs = 5000;

/**
 * GET /metrics on a separate port, so that no proxy in front of the shop can expose it to shoppers, and so that roles
 * without an API have metrics too.
 */
export async function serveMetrics(
  metrics: Metrics,
  { host, port }: { host: string; port: number },
): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    createAnswer(metrics),
  );
  server.maxConnections = connectionsMax;
  // Processes of one API share the shop's port, but each has its own metrics port: a scraper must know which process it
  // reads.
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  const boundPort = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${boundPort}/metrics`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createAnswer(metrics: Metrics) {
  let underWay: Promise<string> | undefined;

  // Concurrent requests share one text.
  function text(): Promise<string> {
    underWay ??= metrics.text().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  return async ({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (url.split('?', 1)[0] !== '/metrics') return refuse(response, 404, 'Metrics are at /metrics.');
    if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 405, 'Metrics can only be read.');
    }
    try {
      const body = await text();
      response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(body);
    } catch (error) {
      refuse(response, 500, error instanceof Error ? error.message : String(error));
    }
  };
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}
