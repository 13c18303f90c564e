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
 * What each layer of protection has refused since this process started, in plain numbers. `sale` counts requests whose
 * sale had used its share of the room or already waited too long. `abandoned` counts requests whose callers
 * disconnected before their batch was sealed.
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
