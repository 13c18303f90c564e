import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * @returns undefined for text that is not an address. An IPv4-mapped IPv6 address is returned as IPv4; a zone is
 * dropped.
 */
export function readAddress(text: string): Address | undefined {
  // ipaddr.js alone also accepts 0x7f.1 and 2130706433 as addresses, and refuses a zone that contains a dot (%eth0.100).
  if (isIP(text) === 0) return undefined;
  return ipaddr.process(text.replace(/%.*$/, ''));
}

/** @param ranges addresses and CIDR ranges that the settings have validated. */
export function createIsWithin(ranges: readonly string[]): (address: Address) => boolean {
  const blocks = ranges.map(readRange);
  return address =>
    blocks.some(([first, bits]) => address.kind() === first.kind() && address.match(first, bits));
}

function readRange(text: string): [Address, number] {
  const [first, bits] = ipaddr.parseCIDR(
    text.includes('/') ? text : `${text}/${isIP(text) === 4 ? 32 : 128}`,
  );
  const isMapped = first instanceof ipaddr.IPv6 && first.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? [first.toIPv4Address(), bits - 96] : [first, bits];
}
