import { createRefusals } from '../../admission/refusals.js';
import type { Shedding } from '../../admission/shedding.js';
import { createReadPictureOrigins } from '../../catalog/picture-origins.js';
import { createIdentity, type Identity } from '../../http/identity/identity.js';
import { keepOperatorTrail } from '../../http/identity/operator-trail.js';
import { createForwardedPages } from '../../http/pages/forwarded-pages.js';
import { createDraining } from '../../http/server/draining.js';
import { type App, createServer } from '../../http/server/http-server.js';
import { listen } from '../../http/server/listeners.js';
import { createWarmUp, type WarmUp } from '../../http/server/warm-up.js';
import type { EventStreamOptions } from '../../http/streams/event-stream.js';
import { createAllocateIds } from '../../ids/allocate.js';
import { type ApiFigures, createCountIds } from '../instruments.js';
import type { Parts } from '../parts.js';
import { createGate } from '../shared-redis.js';
import { createLayers, type Layers } from './layers.js';
import { createMemory, type Memory } from './memory.js';
import { registerOperations } from './register-operations.js';
import { registerOperator } from './register-operator.js';
import { registerShop } from './register-shop.js';
import { createRehearsals } from './rehearsals-of-process.js';

export type Api = {
  /** Where it listens, such as http://127.0.0.1:3000 */
  url: string;
  figures: ApiFigures;
  /** Stops taking requests, answers those in progress, and writes what is buffered. */
  close(): Promise<void>;
};

export type ApiOptions = {
  /** New connections that are accepted in one turn of the event loop. */
  listeners?: number;
  /** Different bounds for streams of events, for tests. */
  eventStreams?: Partial<EventStreamOptions>;
  /** Replaces the judgement of how overloaded the process is, for tests. */
  shedding?: Shedding | undefined;
};

/** The role that answers shoppers and operators. */
export async function startApi(
  parts: Parts,
  { listeners = 1, eventStreams = {}, shedding }: ApiOptions = {},
): Promise<Api> {
  const { config, warn } = parts;
  const memory = createMemory(parts);
  try {
    const { server, draining, figures, rehearse, warmUp } = await createApiServer(
      parts,
      memory,
      eventStreams,
      shedding,
    );
    const url = await listen(
      server,
      {
        host: config.HOST,
        port: config.PORT,
        backlog: acceptBacklog,
        listeners,
        prepare: () => warm(parts, server, warmUp),
      },
      warn(
        'only one new connection is accepted per turn of the event loop, so new connections wait under load',
      ),
    );
    return {
      url,
      figures,
      async close() {
        if (typeof rehearse !== 'string') await rehearse.close();
        await draining.drain(config.DRAIN_TIMEOUT_MS);
        await memory.close();
      },
    };
  } catch (error) {
    await memory.close();
    throw error;
  }
}

/** A process that could not be warmed up starts all the same. */
async function warm({ config, secrets, refusals, warn }: Parts, server: App, { run }: WarmUp): Promise<void> {
  const [apiKey] = secrets.apiKeys;
  if (apiKey === undefined || config.WARM_UP_MS === 0) return;
  const connections = Math.min(warmUpConnections, config.MAX_IN_FLIGHT || warmUpConnections);
  await run(server, { apiKey, durationMs: config.WARM_UP_MS, connections }).catch(warn('could not warm up'));
  Object.assign(refusals, createRefusals());
}

/** The server with every route, not listening yet. */
export async function createApiServer(
  parts: Parts,
  memory: Memory,
  streamLimits: Partial<EventStreamOptions> = {},
  shedding?: Shedding,
) {
  const { config, pool, clock } = parts;
  const identity = createIdentity({
    config,
    secrets: parts.secrets,
    db: pool,
    nowMs: clock.nowMs,
    onError: parts.warn('could not read the keys that verify tokens'),
  });
  const warmUp = createWarmUp();
  const { server, layers } = await createProtectedServer(parts, identity, { shedding, warmUp });
  const draining = createDraining(server, config.DRAIN_DELAY_MS);
  identifyCallers(server, parts, identity);
  const gate = createGate(parts.shared, memory.views, clock);
  const allocateIds = createAllocateIds(pool, { onAnswer: createCountIds(parts.instruments) });
  const figures: ApiFigures = {
    inFlight: layers.inFlight,
    shedding: layers.shedding,
    droppedAttempts: memory.attempts.dropped,
  };
  const rehearse = createRehearsals(parts, server, memory.calendar);

  registerShop(server, { parts, memory, layers, identity, gate, allocateIds, streamLimits });
  registerOperator(server, { parts, memory, layers, identity, gate, figures, rehearse });
  registerOperations(server, { parts, identity, draining, allocateIds });
  return { server, draining, figures, rehearse, warmUp };
}

/** The server without routes, behind its layers of protection. */
async function createProtectedServer(
  parts: Parts,
  identity: Identity,
  { shedding, warmUp }: { shedding: Shedding | undefined; warmUp: WarmUp },
): Promise<{ server: App; layers: Layers }> {
  const { config, pool, logger, instruments, tracing } = parts;
  const forwardedPages = config.WEB_URL
    ? createForwardedPages(config.WEB_URL, createReadPictureOrigins(pool))
    : undefined;
  const layers = createLayers(parts, identity, forwardedPages, shedding);
  const server = await createServer(logger, {
    ...layers.serverOptions,
    forwardedPages,
    requests: instruments.requests,
    tracing,
    slowRequestMs: config.SLOW_REQUEST_MS,
    isWarmingUp: warmUp.isUnderWay,
  });
  return { server, layers };
}

/**
 * Identifies callers before a route is entered, but after the limits per address, because checking a signature costs
 * more than a refusal. Records what operators do. Both apply to every route that is registered afterwards.
 */
function identifyCallers(server: App, { pool, warn }: Parts, identity: Identity): void {
  server.decorateRequest('isOfShop', undefined);
  const { onRequest } = identity;
  if (onRequest) {
    server.addHook('onRoute', route => {
      route.onRequest = [route.onRequest ?? [], onRequest].flat();
    });
  }
  const onLost = warn("could not record how an operator's action ended");
  keepOperatorTrail(server, { db: pool, identity, onError: onLost });
}

// Several requests in one turn of the event loop, as in a rush.
const warmUpConnections = 8;

// Connections that the kernel holds while the process is busy. With Node's default of 511, a rush of 2,000 overflows
// it, and a client whose handshake was dropped waits seconds for its retransmission. The kernel caps it at
// net.core.somaxconn.
const acceptBacklog = 8192;
