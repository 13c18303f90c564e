import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { readAddress } from '../../platform/addresses.js';

/**
 * The key under which limits per address count. Fastify finds the address: that of the peer or, if the peer is in
 * TRUST_PROXY, the rightmost hop of X-Forwarded-For outside it. If a proxy gives no address there (`unknown`), its own
 * address counts.
 */
export function addressKeyOf(request: FastifyRequest): string {
  return addressKey(request.ip) ?? addressKey(request.raw.socket.remoteAddress ?? '') ?? 'unknown';
}

/**
 * An IPv4 address as it is, even if it arrives mapped into IPv6. An IPv6 address by its /64, the least that a network
 * gives to one customer, who can call from any of its 2^64 addresses. Some proxies add the port.
 *
 * @returns undefined for anything that is not an address.
 */
export function addressKey(text: string): string | undefined {
  // Almost every request has an IPv4 peer, on an IPv4 or a dual-stack socket. This check costs a tenth of a
  // microsecond, parsing several microseconds.
  const plain = text.startsWith(mappedPrefix) ? text.slice(mappedPrefix.length) : text;
  if (isIPv4(plain)) return plain;
  const address = readAddress(withoutPort(text));
  if (!(address instanceof ipaddr.IPv6)) return address?.toString();
  const network = address.parts.slice(0, 4).map(group => group.toString(16));
  return `${network.join(':')}::/64`;
}

// As Node writes it.
const mappedPrefix = '::ffff:';

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  return bracketed ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}
