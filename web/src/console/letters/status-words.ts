import type { DeadLetter } from '../../api/operator';
import type { Tone } from '../../ui/badge';

export const statusWords: Record<DeadLetter['status'], { tone: Tone; name: string }> = {
  NEW: { tone: 'bad', name: 'Just in' },
  COMPENSATED: { tone: 'bad', name: 'Waits' },
  REPLAYED: { tone: 'good', name: 'Replayed' },
  DISCARDED: { tone: 'plain', name: 'Discarded' },
};
