/**
 * Adds to a call what is not part of it: a count, a span, or a fault in drills. A hook runs before each call. If it
 * returns a promise, the call waits for it; if the promise rejects, the call is not made and fails.
 */
export type Hook<Call, Result> = (call: Call) => Hooked<Call, Result> | Promise<Hooked<Call, Result>>;

type Hooked<Call, Result> =
  | {
      /** Replaces the call, for example with the same call and its span. */
      call?: Call;
      /** Called when the call has ended. Must not throw. */
      ended?: (ended: Ended<Result>) => void;
    }
  | undefined;

export type Ended<Result> = { result: Result } | { error: unknown };

/** Makes a call with its hooks, which begin in order and end in reverse order. */
export async function withHooks<Call, Result>(
  hooks: readonly Hook<Call, Result>[],
  call: Call,
  make: (call: Call) => Promise<Result>,
): Promise<Result> {
  const told: ((ended: Ended<Result>) => void)[] = [];
  let made = call;
  let ended: Ended<Result>;
  try {
    for (const hook of hooks) {
      const begun = hook(made);
      const hooked = begun instanceof Promise ? await begun : begun;
      made = hooked?.call ?? made;
      if (hooked?.ended) told.unshift(hooked.ended);
    }
    ended = { result: await make(made) };
  } catch (error) {
    ended = { error };
  }
  for (const tell of told) tell(ended);
  if ('error' in ended) throw ended.error;
  return ended.result;
}
