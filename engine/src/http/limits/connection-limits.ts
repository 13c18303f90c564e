import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusals } from '../../admission/refusals.js';
import { createIsWithin, readAddress } from '../../platform/addresses.js';
import { addressKey } from './client-address.js';

export type ConnectionLimits = {
  /** Open connections in total, besides the reserve for operators and probes; 0 means no limit. */
  max: number;
  /** Open connections from one address; 0 means no limit. */
  perAddressMax: number;
  /** Addresses and ranges of proxies, whose connections carry the calls of many clients. */
  proxies: readonly string[];
  refusals: Refusals;
};

export type Connections = {
  /** Whether a connection belongs to the reserve for operators and probes. */
  isReserved(socket: Socket): boolean;
};

// Connections beyond `max`: a console has six, and a probe one at a time. One address gets no more of them than a
// console and a script need, so that an address that took all others cannot take these, too.
const reservedMax = 100;
const reservedPerAddressMax = 10;

/**
 * Bounds the open connections. Beyond `max` and the reserve, a new connection is closed at once. Beyond the bound of
 * its address, it gets a refusal, which costs one write and no parser.
 */
export function limitConnections(
  server: Server,
  { max, perAddressMax, proxies, refusals }: ConnectionLimits,
): Connections {
  // Not server.maxConnections, which counts only the connections of one listener.
  let openCount = 0;
  const isProxy = createIsProxy(proxies);
  const countByAddress = createTally();
  const countReserved = createTally();
  const reserved = new Set<Socket>();

  function reserve(socket: Socket): void {
    reserved.add(socket);
    socket.once('close', () => reserved.delete(socket));
  }

  function isTooMany(socket: Socket, isLate: boolean): boolean {
    const address = socket.remoteAddress ?? '';
    const key = addressKey(address);
    if (key === undefined || isProxy(address)) return false;
    const isGreedy = perAddressMax > 0 && countByAddress(key, socket) > perAddressMax;
    return isGreedy || (isLate && countReserved(key, socket) > reservedPerAddressMax);
  }

  server.on('connection', (socket: Socket) => {
    openCount += 1;
    socket.once('close', () => {
      openCount -= 1;
    });
    const isLate = max > 0 && openCount > max;
    if (isLate && openCount > max + reservedMax) {
      refusals.connections += 1;
      socket.destroy();
      return;
    }
    if (isTooMany(socket, isLate)) {
      refusals.connectionsPerIp += 1;
      socket.end(refusal, () => socket.destroy());
    } else if (isLate) reserve(socket);
  });
  return { isReserved: socket => reserved.size > 0 && reserved.has(socket) };
}

/** Counts open connections per key. */
function createTally(): (key: string, socket: Socket) => number {
  const open = new Map<string, number>();
  return (key, socket) => {
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    });
    return count;
  };
}

const body = JSON.stringify({
  type: '/problems/overloaded',
  title: 'Overloaded',
  status: 503,
  detail: 'Too many connections from this address.',
  success: false,
  message: 'Too many connections from this address.',
});
const refusal = [
  'HTTP/1.1 503 Service Unavailable',
  'content-type: application/problem+json',
  `content-length: ${Buffer.byteLength(body)}`,
  'retry-after: 2',
  'connection: close',
  '',
  body,
].join('\r\n');

function createIsProxy(proxies: readonly string[]): (address: string) => boolean {
  if (proxies.length === 0) return () => false;
  const isWithin = createIsWithin(proxies);
  return text => {
    const address = readAddress(text);
    return address !== undefined && isWithin(address);
  };
}
