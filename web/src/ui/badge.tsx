import type { ReactNode } from 'react';

export type Tone = 'live' | 'good' | 'bad' | 'plain';

const looks: Record<Tone, string> = {
  live: 'border-on-accent bg-accent text-on-accent',
  good: 'border-good text-good',
  bad: 'border-bad text-bad',
  plain: 'border-edge text-muted',
};

/** A state in one word. */
export function Badge({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center rounded-base border px-1.5 text-note leading-5 font-bold whitespace-nowrap ${looks[tone]}`}
    >
      {children}
    </span>
  );
}
