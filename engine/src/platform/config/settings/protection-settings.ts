import { isIP } from 'node:net';
import { z } from 'zod';
import { boolean, integer } from '../fields.js';

/** How much load one process accepts, and from whom. 0 turns a limit off. */
export const protectionSettings = {
  // At 20,000 purchases a second, 500 waiting requests are 25 ms of work. `doorbuster start` allows 4,000.
  MAX_IN_FLIGHT: integer(500, 0, 1_000_000).describe(
    'requests in flight (read but not yet answered), at most nine tenths of them for one sale; with `doorbuster start`, 4000 unless set',
  ),
  // One for each stream that is allowed, and half as many for purchases; an idle connection takes about 20 kB.
  CONNECTIONS_MAX: integer(15_000, 0, 1_000_000).describe(
    'open connections; 100 more are reserved for operators and probes. `ulimit -n` must be higher',
  ),
  // A third of all: enough for a campus or a carrier behind one address, and one address cannot take them all.
  CONNECTIONS_PER_IP_MAX: integer(5000, 0, 1_000_000).describe(
    'open connections from one address, unless it is a proxy in `TRUST_PROXY`',
  ),
  // Headers and body are a few packets; a client that needs longer than this does not want an answer.
  REQUEST_TIMEOUT_MS: integer(8000, 100, 600_000).describe('timeout for receiving a whole request'),
  HEADERS_TIMEOUT_MS: integer(5000, 100, 600_000).describe('timeout for receiving its headers'),
  // Longer than the 60 s of most load balancers, which would otherwise send a request into a closing connection.
  IDLE_TIMEOUT_MS: integer(72_000, 100, 600_000).describe(
    'how long a connection stays open between two requests',
  ),
  // A page of the shop makes a dozen calls: several shoppers behind one address can reload at once, but a script does
  // not get far.
  RATE_LIMIT_IP_MAX: integer(100, 0, 1_000_000).describe(
    'calls per second from one address, in the long run',
  ),
  RATE_LIMIT_IP_BURST: integer(50, 1, 1_000_000).describe('calls from one address at once'),
  // No shopper clicks more often than this on a sold-out product.
  RATE_LIMIT_USER_MAX: integer(5, 0, 1_000_000).describe(
    'purchases of one shopper per window, and as many redemptions of checkout codes',
  ),
  // A hundred shoppers behind one address with all their tries, and some room.
  RATE_LIMIT_IP_PURCHASES_MAX: integer(600, 0, 1_000_000).describe(
    'purchases from one address per window, across all of its shoppers',
  ),
  RATE_LIMIT_WINDOW_MS: integer(60_000, 100, 86_400_000).describe('the window of these two limits'),
  // By default the shop's own server limits its shoppers itself.
  RATE_LIMIT_SERVICE: boolean().describe(
    "`true`: the purchase limits also apply to shoppers whom the shop's server names with the API key",
  ),
  // 2,000 requests that arrive at once occupy the event loop for 60 to 100 ms, which is harmless.
  SHED_LAG_MS: integer(500, 0, 60_000).describe(
    'event loop lag at which purchases are shed; browsing is shed at half of it',
  ),
  // Half of what an admitted purchase may take in total.
  SHED_WAIT_MS: integer(500, 0, 60_000).describe(
    "wait of a sale's oldest purchase at which further purchases of that sale are refused",
  ),
  TRUST_PROXY: z
    .string()
    .default('')
    .transform(splitList)
    .refine(isProxyList, {
      message: 'expected addresses or CIDR ranges separated by commas, such as 10.0.0.0/8,fd00::/8',
    })
    .describe('the proxies in front of the engine, whose `X-Forwarded-For` is trusted'),
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

// A range of all addresses would let every client choose its own address.
function isRange(range: string): boolean {
  const [address = '', prefix, ...rest] = range.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}
