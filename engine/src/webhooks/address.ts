import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { createIsWithin, readAddress } from '../platform/addresses.js';

export type Destinations = {
  /** Why no webhook may go to this URL, undefined if one may. What a name stands for is judged when it is called. */
  whyNot(url: URL): string | undefined;
  /** For a socket: the name's addresses, all of which have been judged. It connects to these and to no others. */
  lookup: LookupFunction;
};

export type DestinationRules = {
  /** Ranges that webhooks may go to though they are not public, such as 127.0.0.0/8 while developing. */
  allowedRanges: readonly string[];
  isHttpAllowed: boolean;
};

// Public by its range, and answers only inside of Azure, with what its machines are to know of themselves.
const internalAddresses = new Set(['168.63.129.16']);

/**
 * Where webhooks may go: an operator's browser, or whoever has an operator's session, must not reach through the engine what
 * only the engine can reach. Anything but a unicast address of the public internet is refused: private, loopback,
 * link-local (the metadata services of clouds), unique local, carrier-grade NAT, multicast, documentation, and addresses
 * that carry an IPv4 address inside (NAT64, 6to4, Teredo); one mapped into IPv6 is judged as what it is.
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
          // One that is internal among others that are not is an attempt, or a mistake: nothing is sent.
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
    super(`${hostname} stands for ${address ?? 'nothing'}, which is not an address of the public internet`);
  }
}
