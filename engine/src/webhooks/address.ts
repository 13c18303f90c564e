import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { createIsWithin, readAddress } from '../platform/addresses.js';

export type Destinations = {
  /** Why no webhook may go to this URL; undefined if one may. A host name's addresses are checked when it is called. */
  whyNot(url: URL): string | undefined;
  /** For a socket: the name's addresses, all of them checked. It connects only to these. */
  lookup: LookupFunction;
};

export type DestinationRules = {
  /** Ranges that webhooks may call although they are not public, such as 127.0.0.0/8 during development. */
  allowedRanges: readonly string[];
  isHttpAllowed: boolean;
};

// In a public range, but answers only inside Azure, where it serves internal data about virtual machines.
const internalAddresses = new Set(['168.63.129.16']);

/**
 * Where webhooks may go. An operator, or an attacker with an operator's session, must not use the engine to reach what
 * only the engine can reach. Only unicast addresses of the public internet are allowed. Private, loopback, link-local
 * (the metadata services of clouds), unique local, carrier-grade NAT, multicast and documentation addresses are
 * refused, and so are addresses that embed an IPv4 address (NAT64, 6to4, Teredo). An IPv4-mapped IPv6 address is
 * checked as IPv4.
 */
export function createDestinations(
  { allowedRanges, isHttpAllowed }: DestinationRules,
  resolve: (hostname: string) => Promise<LookupAddress[]> = hostname => lookup(hostname, { all: true }),
): Destinations {
  const isWithinAllowed = createIsWithin(allowedRanges);

  function isAllowed(text: string): boolean {
    const address = readAddress(text);
    if (!address) return false;
    if (isWithinAllowed(address)) return true;
    return address.range() === 'unicast' && !internalAddresses.has(address.toString());
  }

  return {
    whyNot({ protocol, username, password, hostname }) {
      if (protocol !== 'https:' && !(isHttpAllowed && protocol === 'http:')) return 'expected https';
      if (username !== '' || password !== '') return 'expected no user or password';
      const literal = hostname.replace(/^\[|\]$/g, '');
      if (isIP(literal) !== 0 && !isAllowed(literal))
        return `${literal} is not an address of the public internet`;
      return undefined;
    },
    lookup(hostname, options, callback) {
      resolve(hostname).then(
        addresses => {
          const refused = addresses.find(({ address }) => !isAllowed(address));
          const [first] = addresses;
          // An internal address among public ones is an attack or a mistake, so nothing is sent.
          if (refused || !first) return callback(new InternalAddress(hostname, refused?.address), '', 0);
          return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
        },
        error => callback(error, '', 0),
      );
    },
  };
}

class InternalAddress extends Error {
  readonly code = 'INTERNAL_ADDRESS';
  constructor(hostname: string, address: string | undefined) {
    super(`${hostname} resolves to ${address ?? 'nothing'}, which is not an address of the public internet`);
  }
}
