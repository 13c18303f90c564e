/** Counts by name, since this process began. The names come from unions in the code, so there are few. */
export type Counts<Name extends string = string> = {
  add(name: Name, count?: number): void;
  of(name: Name): number;
  entries(): [name: Name, count: number][];
};

/** @param names those that are shown as 0 before they are counted: a rate wants a series that was there before. */
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
