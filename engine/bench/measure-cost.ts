import { measureWithLoadgen, type Work } from './measure.js';
import type { Server } from './servers.js';

export type Load = { count: number; requestsPerSecond: number; errors: number };

export type Cost = {
  requestsPerSecond: number;
  /** CPU time of the engine's own process, the figure that other work on the machine affects least. */
  cpuUsPerRequest: number;
  errors: number;
};

/** Measures what a load costs the process that answers it. */
export async function measureCost(server: Server, name: string, load: () => Promise<Load>): Promise<Cost> {
  const cpuBeforeMs = server.cpuMs();
  const { count, requestsPerSecond, errors } = await load();
  const cpuUsPerRequest = ((server.cpuMs() - cpuBeforeMs) * 1000) / count;
  process.stderr.write(`${name}: ${Math.round(requestsPerSecond)}/s, ${cpuUsPerRequest.toFixed(1)} µs\n`);
  return { requestsPerSecond, cpuUsPerRequest, errors };
}

export async function loadWithLoadgen(server: Server, work: Work): Promise<Load> {
  const { requestsPerSecond, errors } = await measureWithLoadgen('engine', server, work);
  return { count: work.requests ?? requestsPerSecond * (work.durationS ?? 0), requestsPerSecond, errors };
}
