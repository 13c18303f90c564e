import { messageOf } from './errors.js';

/**
 * Works through the items one after the other; one that fails does not cost the others their turn. Stops between two
 * items once the signal has aborted.
 *
 * @throws AggregateError when all have had their turn and some have failed.
 */
export async function settleEach<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  for (const item of items) {
    if (signal?.aborted) break;
    await work(item).catch((error: unknown) => failures.push(error));
  }
  if (failures.length === 0) return;
  throw new AggregateError(
    failures,
    `${failures.length} of ${items.length} failed, the first: ${messageOf(failures[0])}`,
  );
}
