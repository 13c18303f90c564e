import type { ReactNode } from 'react';

/** Something to know and what to do about it. `urgent` is read out at once, the others when the reader has time. */
export function Notice(props: {
  tone: 'good' | 'bad' | 'plain';
  title: string;
  children: ReactNode;
  actions?: ReactNode;
  isUrgent?: boolean;
}) {
  const { tone, title, children, actions, isUrgent = false } = props;
  const edge = { good: 'border-good', bad: 'border-bad', plain: 'border-edge' }[tone];
  return (
    <div role={isUrgent ? 'alert' : 'status'} className={`border-l-4 ${edge} bg-surface py-4 pr-5 pl-5`}>
      <p className="text-lead font-bold tracking-tight">{title}</p>
      <div className="mt-1 max-w-(--measure) text-muted">{children}</div>
      {actions && <div className="mt-4 flex flex-wrap gap-3">{actions}</div>}
    </div>
  );
}
