import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { type Acknowledged, type InvariantResult, runAudit } from '../ledger/audit.js';
import { OperatingError } from '../platform/errors.js';
import { withTool } from './tool.js';

type Options = { acknowledged?: string; json?: boolean };

export async function audit({ acknowledged: file, json = false }: Options): Promise<void> {
  const acknowledged = file === undefined ? [] : await readAcknowledged(file);
  await withTool(async pool => {
    const onInvariant = ({ id, title, violations }: InvariantResult) => {
      if (json) return;
      const detail = details[id]?.(acknowledged) ?? '';
      process.stdout.write(
        `${violations === 0 ? 'ok    ' : 'BROKEN'} ${String(id).padStart(2)}  ${title}: ${violations}${detail}\n`,
      );
    };
    const report = await runAudit(pool, { acknowledged, onInvariant });
    if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    else process.stdout.write(report.ok ? 'All invariants hold.\n' : 'Some invariants are broken.\n');
    process.exitCode = report.ok ? 0 : 1;
  });
}

const details: Record<number, (acknowledged: readonly Acknowledged[]) => string> = {
  7: acknowledged => ` (${acknowledged.length} acknowledged orders checked)`,
  14: () => " (an engine's own gate is asked by GET /api/admin/audit)",
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
