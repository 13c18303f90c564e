import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { countSharedDisagreements } from '../admission/gate/redis-audit.js';
import { type Acknowledged, type InvariantResult, runAudit } from '../ledger/audit.js';
import { readRoutines } from '../ledger/routines.js';
import type { Stock } from '../ledger/stock.js';
import { OperatingError } from '../platform/errors.js';
import { checkSchema } from '../platform/migrations.js';
import type { Pool } from '../platform/postgres.js';
import type { RedisLink } from '../platform/redis-link.js';
import { withRedis } from './redis-tool.js';
import { withTool } from './tool.js';

export type AuditOptions = { acknowledged?: string; json?: boolean };

export async function audit({ acknowledged: file, json = false }: AuditOptions): Promise<void> {
  const acknowledged = file === undefined ? [] : await readAcknowledged(file);
  const prove = async (pool: Pool, link: RedisLink | undefined) => {
    const onInvariant = ({ id, title, violations }: InvariantResult) => {
      if (json) return;
      const detail = details[id]?.(acknowledged, link !== undefined) ?? '';
      process.stdout.write(
        `${violations === 0 ? 'ok    ' : 'BROKEN'} ${String(id).padStart(2)}  ${title}: ${violations}${detail}\n`,
      );
    };
    const asked = link && {
      countDisagreements: (stocks: readonly Stock[]) => countSharedDisagreements(link, stocks),
    };
    const report = await runAudit(pool, { acknowledged, onInvariant, ...asked });
    if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else process.stdout.write(report.ok ? 'All invariants hold.\n' : 'Some invariants are violated.\n');
    process.exitCode = report.ok ? 0 : 1;
  };
  await withTool(async (pool, config) => {
    await checkSchema(pool, await readRoutines());
    await withRedis(config, link => prove(pool, link));
  });
}

const details: Record<number, (acknowledged: readonly Acknowledged[], hasRedis: boolean) => string> = {
  7: acknowledged => ` (${acknowledged.length} acknowledged orders checked)`,
  14: (_, hasRedis) =>
    ` (${hasRedis ? 'Redis checked; ' : ''}GET /api/admin/audit checks an engine's own memory)`,
};

const lineSchema = z.object({ orderId: z.uuid(), shopperId: z.string(), quantity: z.int() });

async function readAcknowledged(file: string): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  let lineNumber = 0;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    lineNumber += 1;
    if (line === '') continue;
    const parsed = lineSchema.safeParse(parseJson(line));
    if (!parsed.success) {
      throw new OperatingError(
        'ACKNOWLEDGED_INVALID',
        `${file}:${lineNumber} is not an acknowledged order`,
        'Expected a JSON object with orderId, shopperId and quantity on each line',
      );
    }
    acknowledged.push(parsed.data);
  }
  return acknowledged;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
