import { z } from 'zod';
import { measureWithLoadgen, type Work } from './measure.js';
import { runLoadgen } from './run-loadgen.js';
import type { Server } from './servers.js';

export type Load = { count: number; requestsPerSecond: number; errors: number };

export type Cost = {
  requestsPerSecond: number;
  /** CPU time of the server's own process, the figure that other work on the machine affects least. */
  cpuUsPerRequest: number;
  /** CPU time of its embedded PostgreSQL; NaN if it has none. */
  postgresUsPerRequest: number;
  errors: number;
};

/** Measures what a load costs the process that answers it, and its PostgreSQL. */
export async function measureCost(server: Server, name: string, load: () => Promise<Load>): Promise<Cost> {
  const before = { own: server.cpuMs(), postgres: server.postgresCpuMs() };
  const { count, requestsPerSecond, errors } = await load();
  const cpuUsPerRequest = ((server.cpuMs() - before.own) * 1000) / count;
  const postgresUsPerRequest = ((server.postgresCpuMs() - before.postgres) * 1000) / count;
  process.stderr.write(`${name}: ${Math.round(requestsPerSecond)}/s, ${cpuUsPerRequest.toFixed(1)} µs\n`);
  return { requestsPerSecond, cpuUsPerRequest, postgresUsPerRequest, errors };
}

export async function loadWithLoadgen(server: Server, work: Work): Promise<Load> {
  const { requestsPerSecond, errors } = await measureWithLoadgen('engine', server, work);
  return { count: work.requests ?? requestsPerSecond * (work.durationS ?? 0), requestsPerSecond, errors };
}

export type RawWork = {
  productId: number;
  connections: number;
  durationS: number;
  keys: boolean;
  /** A file of shoppers with credentials of their own; without it the API key asks for new shoppers. */
  callers?: string | undefined;
};

const rawSchema = z.object({
  throughput: z.object({ requests: z.number(), requestsPerSecond: z.number() }),
  outcomes: z.array(z.object({ status: z.number().nullable(), count: z.number() })),
});

/** Purchases and nothing else, so that their count explains all the processor time. */
export async function loadPurchases({ url }: Server, work: RawWork): Promise<Load> {
  const { throughput, outcomes } = await runLoadgen(
    [
      ...['--scenario', 'raw', '--url', url, '--path', '/api/purchase'],
      ...['--product-id', String(work.productId)],
      ...['--connections', String(work.connections), '--duration', String(work.durationS)],
      ...(work.keys ? [] : ['--no-keys']),
      ...(work.callers ? ['--callers', work.callers] : []),
    ],
    rawSchema,
  );
  const unexpected = outcomes.filter(({ status }) => status !== 200 && status !== 409);
  const errors = unexpected.reduce((sum, { count }) => sum + count, 0);
  return { count: throughput.requests, requestsPerSecond: throughput.requestsPerSecond, errors };
}
