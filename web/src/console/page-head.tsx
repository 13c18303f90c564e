import type { ReactNode } from 'react';

/** What a page is called, what it is for, and what is begun here. */
export function PageHead(props: { title: string; lead?: ReactNode; actions?: ReactNode }) {
  const { title, lead, actions } = props;
  return (
    <div className="mb-7 flex flex-wrap items-end justify-between gap-x-8 gap-y-4">
      <div>
        <h1 className="text-title">{title}</h1>
        {lead && <p className="mt-2 max-w-(--measure) text-muted">{lead}</p>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
