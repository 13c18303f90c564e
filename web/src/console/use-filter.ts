'use client';

import { useSearchParams } from 'next/navigation';
import { useCallback } from 'react';

/** What a list is narrowed to, kept in the page's address, so that it can be sent to a colleague and is there after a reload. */
export function useFilter() {
  const search = useSearchParams();
  const set = useCallback((values: Readonly<Record<string, string>>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(values)) {
      if (value === '') next.delete(name);
      else next.set(name, value);
    }
    history.replaceState(null, '', `?${next}`);
  }, []);
  return { get: (name: string) => search.get(name) ?? '', set };
}

/** Leaves out what is empty, as queries want it. */
export function filled<Name extends string>(
  values: Readonly<Record<Name, string>>,
): { [N in Name]?: string } {
  const kept: { [N in Name]?: string } = {};
  for (const name in values) if (values[name] !== '') kept[name] = values[name];
  return kept;
}
