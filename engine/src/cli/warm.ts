import { createTakeTurn, type Turn } from '../admission/gate/redis-turns.js';
import { readRoutines } from '../ledger/routines.js';
import { backoffMs, sleep } from '../platform/backoff.js';
import { OperatingError } from '../platform/errors.js';
import { checkSchema } from '../platform/migrations.js';
import { withRedis } from './redis-tool.js';
import { withTool } from './tool.js';

// Ten turns of the running engines.
const waitMaxMs = 10_000;

/** Loads the sales that are open, or open within ten minutes, into Redis. Running engines do this on their own. */
export async function warm(): Promise<void> {
  await withTool((pool, config) =>
    withRedis(config, async link => {
      if (!link) {
        throw new OperatingError(
          'REDIS_NOT_SET',
          'There is nothing to warm: without REDIS_URL each process has its own gate',
          'Set REDIS_URL if the engine has a Redis',
        );
      }
      await checkSchema(pool, await readRoutines());
      const { warmed, isRebuilt } = await waitForTurn(createTakeTurn(link, pool));
      process.stdout.write(`sales in Redis: ${warmed}${isRebuilt ? ', under a new epoch' : ''}\n`);
    }),
  );
}

async function waitForTurn(takeTurn: () => Promise<Turn | undefined>): Promise<Turn> {
  const giveUpAtMs = performance.now() + waitMaxMs;
  for (;;) {
    const turn = await takeTurn();
    if (turn) return turn;
    if (performance.now() > giveUpAtMs) {
      throw new OperatingError(
        'NO_TURN',
        `For ${waitMaxMs} ms other processes kept Redis up to date, and this one got no turn`,
        'The sales are already warm, so there is nothing left to do',
      );
    }
    await sleep(20 + backoffMs(0, 100, 100));
  }
}
