import { messageOf } from '../platform/errors.js';
import { startTracing } from '../platform/telemetry/start-tracing.js';
import { type ApiOptions, startApi } from './api/start-api.js';
import { startMetrics } from './metrics/start-metrics.js';
import { createParts, type PartsOptions } from './parts.js';
import { hearFaults, type Role, startRole } from './roles.js';

export type App = {
  /** Where its API listens, such as http://127.0.0.1:3000; undefined without the API. */
  url: string | undefined;
  /** Where its metrics are; undefined if they are disabled. */
  metricsUrl: string | undefined;
  /** Finishes the work in progress, and closes everything. Every call waits for the same drain. */
  drain(): Promise<void>;
};

export type AppOptions = Omit<PartsOptions, 'tracing'> &
  ApiOptions & {
    /** What this process does. Each role may run in any number of processes. */
    roles: readonly (Role | 'api')[];
  };

/** The composition root: only this folder picks adapters and wires the parts of a process together. */
export async function startApp({ roles, ...options }: AppOptions): Promise<App> {
  const tracing = await startTracing(options.config, roles, error =>
    options.logger.warn({ reason: messageOf(error) }, 'spans could not be delivered and are lost'),
  );
  const parts = await createParts({ ...options, tracing });
  const running: (() => Promise<void>)[] = [];
  const close = async () => {
    // Stops the sources of work before the parts that do it.
    for (let stop = running.pop(); stop; stop = running.pop()) await stop();
    await parts.close();
    await tracing?.close();
  };
  try {
    await parts.decisionConnections.firstTry;
    // An API receives faults over the connection on which it follows the ledger.
    if (!roles.includes('api') && parts.faults.isEnabled) running.push(hearFaults(parts));
    for (const role of roles) if (role !== 'api') running.push(startRole(role, parts));
    const api = roles.includes('api') ? await startApi(parts, options) : undefined;
    if (api) running.push(api.close);
    const metrics = await startMetrics(parts, api?.figures);
    if (metrics) running.push(metrics.close);
    let drained: Promise<void> | undefined;
    return {
      url: api?.url,
      metricsUrl: metrics?.url,
      drain() {
        drained ??= close();
        return drained;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
