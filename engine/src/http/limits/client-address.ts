import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

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
  if (isIPv4(text)) return text;
  const address = withoutPort(text);
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const groups = groupsOf(address);
  const [, , , , , marker, high = 0, low = 0] = groups;
  if (marker === 0xffff && groups.slice(0, 5).every(group => group === 0)) {
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  const network = groups.slice(0, 4).map(group => group.toString(16));
  return `${network.join(':')}::/64`;
}

function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  return bracketed ?? text.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}

/** The eight groups of a valid address; `::` stands for as many zeros as are missing. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = readGroups(head);
  const after = readGroups(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function readGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').flatMap(readGroup);
}

// The last 32 bits may be written like an IPv4 address.
function readGroup(group: string): number[] {
  if (!group.includes('.')) return [Number.parseInt(group, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
