import type { ReactNode } from 'react';

/** Nothing to show, and what to do about it. */
export function Empty(props: { title: string; children?: ReactNode; actions?: ReactNode }) {
  const { title, children, actions } = props;
  return (
    <div className="rounded-base border border-dashed border-edge px-6 py-12 text-center">
      <p className="text-lead font-bold tracking-tight">{title}</p>
      {children && <div className="mx-auto mt-2 max-w-(--measure) text-muted">{children}</div>}
      {actions && <div className="mt-5 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
