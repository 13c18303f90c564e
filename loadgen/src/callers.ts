import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { LoadFailure } from './failure.js';

/**
 * Reads shoppers with credentials of their own: one per line, the headers that identify the shopper as a JSON object.
 *
 * @returns the headers of each as lines of a request.
 * @throws LoadFailure `usage` that names the file and the line.
 */
export function readCallers(file: string): string[] {
  const callers = readLines(file).flatMap((line, position) => {
    if (line.trim() === '') return [];
    const headers = parseHeaders(line);
    if (headers !== null) return [headers];
    const expected = 'expected headers as a JSON object, such as {"authorization": "Bearer ..."}';
    throw new LoadFailure('usage', `--callers ${file}, line ${position + 1}: ${expected}.`);
  });
  if (callers.length > 0) return callers;
  throw new LoadFailure('usage', `--callers ${file}: expected at least one line.`);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoadFailure('usage', `--callers ${file}: expected a readable file. ${reason}`);
  }
}

const headersSchema = z.record(z.string().regex(/^[\w-]+$/), z.string().regex(/^[\x20-\x7e]*$/));

function parseHeaders(line: string): string | null {
  try {
    const headers = Object.entries(headersSchema.parse(JSON.parse(line)));
    return headers.length > 0 ? headers.map(([name, value]) => `${name}: ${value}\r\n`).join('') : null;
  } catch {
    return null;
  }
}
