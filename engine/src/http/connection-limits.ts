import type { Server } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import type { Refusals } from '../admission/refusals.js';
import { addressKey } from './client-address.js';

export type ConnectionLimits = {
  /** Open connections in all; 0 is no limit. */
  max: number;
  /** Open connections of one address; 0 is no limit. */
  perAddressMax: number;
  /** Addresses and ranges whose connections are those of others. */
  proxies: readonly string[];
  refusals: Refusals;
};

/**
 * Bounds the connections that are open. Beyond the first bound they are closed as they come; beyond that of an address they
 * are told so, which costs one write and no parser.
 */
export function limitConnections(
  server: Server,
  { max, perAddressMax, proxies, refusals }: ConnectionLimits,
): void {
  // Not server.maxConnections: that counts those of one listener.
  let openCount = 0;
  const isProxy = createIsProxy(proxies);
  const open = new Map<string, number>();

  function leave(key: string): void {
    const left = (open.get(key) ?? 1) - 1;
    if (left > 0) open.set(key, left);
    else open.delete(key);
  }

  server.on('connection', (socket: Socket) => {
    openCount += 1;
    socket.once('close', () => {
      openCount -= 1;
    });
    if (max > 0 && openCount > max) {
      refusals.connections += 1;
      socket.destroy();
      return;
    }
    if (perAddressMax === 0) return;
    const key = addressKey(socket.remoteAddress ?? '');
    if (key === undefined || isProxy(socket.remoteAddress ?? '')) return;
    const count = (open.get(key) ?? 0) + 1;
    open.set(key, count);
    socket.once('close', () => leave(key));
    if (count <= perAddressMax) return;
    refusals.connectionsPerIp += 1;
    socket.end(refusal, () => socket.destroy());
  });
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
  const list = new BlockList();
  for (const range of proxies) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // An IPv4 address that comes mapped into IPv6 is found among the IPv4 ones.
  return address => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
