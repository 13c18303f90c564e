import { onTestFinished } from 'vitest';
import { type FaultProxy, openFaultProxy } from '../../drill/servers/fault-proxy.js';

export type { FaultProxy };

/** A fault proxy that closes with the test. */
export async function startFaultProxy(serverUrl: string): Promise<FaultProxy> {
  const proxy = await openFaultProxy(serverUrl);
  onTestFinished(proxy.close);
  return proxy;
}
