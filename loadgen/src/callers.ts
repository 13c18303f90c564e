import { readFileSync } from 'node:fs';
import { LoadFailure } from './failure.js';

/**
 * Reads shoppers with credentials of their own: one per line, the headers that identify the shopper as a JSON object.
 *
 * @returns the headers of each as lines of a request.
 * @throws LoadFailure `usage` that names the file and the line.
 */
export function readCallers(file: string): string[] {
  const lines = readLines(file);
  if (lines.length === 0) throw new LoadFailure('usage', `--callers ${file}: expected at least one line.`);
  return lines.map((line, position) => {
    const headers = parseHeaders(line);
    if (headers !== null) return headers;
    const expected = 'expected headers as a JSON object, such as {"authorization": "Bearer ..."}';
    throw new LoadFailure('usage', `--callers ${file}, line ${position + 1}: ${expected}.`);
  });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoadFailure('usage', `--callers ${file}: expected a readable file. ${reason}`);
  }
}

function parseHeaders(line: string): string | null {
  try {
    const headers = Object.entries(JSON.parse(line) as Record<string, unknown>);
    const isValid = headers.every(
      ([name, value]) => /^[\w-]+$/.test(name) && typeof value === 'string' && /^[\x20-\x7e]*$/.test(value),
    );
    return headers.length > 0 && isValid
      ? headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      : null;
  } catch {
    return null;
  }
}
