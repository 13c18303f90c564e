/** Counts by name, since this process began. The names come from unions in the code, so there are few. */
export type Counts<Name extends string = string> = {
  add(name: Name, count?: number): void;
  of(name: Name): number;
  entries(): [name: Name, count: number][];
};

/** @param names names to show as 0 before their first count, because a rate needs a series that already exists. */
export function createCounts<Name extends string>(names: readonly Name[] = []): Counts<Name> {
  const counts = new Map<Name, number>(names.map(name => [name, 0]));
  return {
    add(name, count = 1) {
      counts.set(name, (counts.get(name) ?? 0) + count);
    },
    of: name => counts.get(name) ?? 0,
    entries: () => [...counts],
  };
}
