import type { ListedSale } from '../../api/operator';
import { Badge, type Tone } from '../../ui/badge';

type State = ListedSale['state'];

const words: Record<State, { tone: Tone; name: string }> = {
  upcoming: { tone: 'plain', name: 'Upcoming' },
  open: { tone: 'live', name: 'Open' },
  paused: { tone: 'bad', name: 'Paused' },
  ended: { tone: 'plain', name: 'Ended' },
};

/** Where a sale stands; one that is open and has nothing left says so. */
export function StateBadge({ state, status, stock }: Pick<ListedSale, 'state' | 'status' | 'stock'>) {
  if (state === 'open' && stock === 0) return <Badge tone="good">Sold out</Badge>;
  const { tone, name } = words[state];
  return (
    <span className="inline-flex gap-1">
      <Badge tone={tone}>{name}</Badge>
      {state === 'upcoming' && status === 'paused' && <Badge tone="bad">Paused</Badge>}
    </span>
  );
}
