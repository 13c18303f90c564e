/**
 * Hangs on a call what is no part of it: a count, a span, in drills a fault. It is told of each call before it is made. A
 * promise is waited for, and one that rejects keeps the call from being made and fails it.
 */
export type Hook<Call, Result> = (call: Call) => Hooked<Call, Result> | Promise<Hooked<Call, Result>>;

type Hooked<Call, Result> =
  | {
      /** What is called in its place: the same, with the span that it belongs to. */
      call?: Call;
      /** Told how it ended. Must not throw. */
      ended?: (ended: Ended<Result>) => void;
    }
  | undefined;

export type Ended<Result> = { result: Result } | { error: unknown };

/** Makes a call of which the hooks are told: of its beginning in their order, of its end the other way round. */
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
