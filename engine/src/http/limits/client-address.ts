import { isIPv4 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { readAddress } from '../../platform/addresses.js';

/**
 * What limits by address count under. Fastify finds the address: that of the peer or, if the peer is one of TRUST_PROXY,
 * the rightmost hop of X-Forwarded-For that is none of them. A proxy that names no address there (`unknown`) is counted
 * itself.
 */
export function addressKeyOf(request: FastifyRequest): string {
  return addressKey(request.ip) ?? addressKey(request.raw.socket.remoteAddress ?? '') ?? 'unknown';
}

/**
 * An IPv4 address as it is, also where it comes mapped into IPv6; an IPv6 address by its /64, which is the least that a
 * network gives to one customer: each of them has 2^64 addresses to call from. Some proxies name the port, too.
 *
 * @returns undefined for what is no address.
 */
export function addressKey(text: string): string | undefined {
  // What almost every request comes with: a peer of IPv4, on a socket of its kind or on one for both. Parsing costs several
  // microseconds, and this one tenth of one.
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
