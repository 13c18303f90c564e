import type { ReactNode } from 'react';

/** Names and values, one a line. */
export function Facts({ facts }: { facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid content-start rounded-base border border-rule bg-surface px-5 py-2">
      {facts.map(([name, value]) => (
        <div key={name} className="flex justify-between gap-6 border-b border-rule py-2 last:border-b-0">
          <dt className="shrink-0 text-muted">{name}</dt>
          <dd className="min-w-0 text-right break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
