import { isIP } from 'node:net';
import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** What one process takes upon itself, and from whom. A limit that is 0 is off. */
export const protectionSettings = {
  // Work that waits: at 20,000 purchases a second 500 of them are 25 ms of it. `doorbuster start` has 4,000.
  MAX_IN_FLIGHT: integer(500, 0, 1_000_000).describe(
    'requests in work: read, and not answered yet, nine tenths of them for one sale at most; with `doorbuster start` 4000 unless set',
  ),
  // As many as there may be streams, and half as many to buy on; an idle one is some 20 kB.
  CONNECTIONS_MAX: integer(15_000, 0, 1_000_000).describe(
    'open connections; 100 more are kept for operators and probes. `ulimit -n` has to be above it',
  ),
  // A third of all: a campus or a carrier behind one address has fewer, and one address cannot take them all.
  CONNECTIONS_PER_IP_MAX: integer(5000, 0, 1_000_000).describe(
    'open connections of one address that is no proxy of `TRUST_PROXY`',
  ),
  // Headers and body together are a few packets; who needs longer than this does not want an answer.
  REQUEST_TIMEOUT_MS: integer(8000, 100, 600_000).describe('for a whole request to come in'),
  HEADERS_TIMEOUT_MS: integer(5000, 100, 600_000).describe('for its headers to come in'),
  // Longer than the 60 s of most load balancers, which would else send a request into a closing connection.
  IDLE_TIMEOUT_MS: integer(72_000, 100, 600_000).describe(
    'how long a connection stays open between two requests',
  ),
  // A page of the shop is a dozen calls: several shoppers behind one address reload at once, a script does not get far.
  RATE_LIMIT_IP_MAX: integer(100, 0, 1_000_000).describe('calls of one address that come back each second'),
  RATE_LIMIT_IP_BURST: integer(50, 1, 1_000_000).describe('calls of one address at once'),
  // Nobody clicks more often than this on something that is sold out.
  RATE_LIMIT_USER_MAX: integer(5, 0, 1_000_000).describe(
    'purchases of one shopper in a window, and as many redemptions of checkout codes',
  ),
  // A hundred shoppers behind one address with all their tries, and some to spare.
  RATE_LIMIT_IP_PURCHASES_MAX: integer(600, 0, 1_000_000).describe(
    'purchases of one address in a window, over all of its shoppers',
  ),
  RATE_LIMIT_WINDOW_MS: integer(60_000, 100, 86_400_000).describe('the window of both'),
  // The shop's own server has its shoppers' limits in its own hands.
  RATE_LIMIT_SERVICE: boolean().describe(
    "`true`: shoppers whom the shop's server names with the API key are under the limits of purchases, too",
  ),
  // Whole turns of the event loop: 2,000 requests that come at once keep it for 60 to 100 ms, which is no trouble yet.
  SHED_LAG_MS: integer(500, 0, 60_000).describe(
    'how late the event loop may be before purchases are shed; browsing goes at half of it',
  ),
  // Half of what an admitted purchase may take in all.
  SHED_WAIT_MS: integer(500, 0, 60_000).describe(
    'how long the oldest purchase of a sale may have waited before further ones of that sale are refused',
  ),
  TRUST_PROXY: z
    .string()
    .default('')
    .transform(splitList)
    .refine(isProxyList, {
      message: 'expected addresses or CIDR ranges with commas between them, such as 10.0.0.0/8,fd00::/8',
    })
    .describe('the proxies in front, whose `X-Forwarded-For` counts'),
};

export function splitList(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
}

export function isProxyList(list: readonly string[]): boolean {
  return list.every(isRange);
}

// A range of all addresses would have everybody name their own.
function isRange(range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}
