/** The layers that refuse, outermost first. */
const layers = [
  'connections',
  'connectionsPerIp',
  'inFlight',
  'ip',
  'shedBrowsing',
  'shedBuying',
  'shedFinishing',
  'shopper',
  'ipPurchases',
  'sale',
  'abandoned',
] as const;

type Layer = (typeof layers)[number];

/**
 * What each layer of protection has refused since this process began: plain numbers, counted where it happens and read by
 * whoever shows them. `sale` are those whose sale had its share of the room, or waited too long already; `abandoned` are those who went away before their batch was sealed.
 */
export type Refusals = Record<Layer, number>;

export function createRefusals(): Refusals {
  return {
    connections: 0,
    connectionsPerIp: 0,
    inFlight: 0,
    ip: 0,
    shedBrowsing: 0,
    shedBuying: 0,
    shedFinishing: 0,
    shopper: 0,
    ipPurchases: 0,
    sale: 0,
    abandoned: 0,
  };
}
