import type { AddressInfo } from 'node:net';
import type { Calendar } from '../../catalog/calendar.js';
import type { App } from '../../http/server/http-server.js';
import { findGenerator } from '../../rehearsals/generator.js';
import { createRehearse, type Rehearse } from '../../rehearsals/rehearse.js';
import type { Parts } from '../parts.js';

/** Runs rehearsals; a string says why this process cannot: they are disabled, or the load generator is missing. */
export function createRehearsals(parts: Parts, server: App, calendar: Calendar): Rehearse | string {
  const { config, secrets, pool, warn } = parts;
  if (!config.ENABLE_REHEARSAL) return 'Rehearsals are disabled: set ENABLE_REHEARSAL=true.';
  const program = findGenerator(config.LOADGEN_PATH);
  const [apiKey] = secrets.apiKeys;
  const [operator] = secrets.operators;
  if (program === undefined || apiKey === undefined || operator === undefined) {
    return 'The load generator is not installed next to this engine: set LOADGEN_PATH to its program.';
  }
  return createRehearse({
    pool,
    program,
    apiKey,
    operatorToken: operator.secret,
    ownUrl: () => urlOf(server.server.address()),
    onSale: calendar.refresh,
    onError: warn('error in a rehearsal'),
  });
}

/** The address for processes on this machine. */
function urlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('the API does not listen on a port');
  const isEverywhere = address.address === '0.0.0.0' || address.address === '::';
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${isEverywhere ? '127.0.0.1' : host}:${address.port}`;
}
