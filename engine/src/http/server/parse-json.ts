import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../answers/send-problem.js';

/** Reads bodies as JSON of one meaning: what two readers could read in two ways is refused. */
export function registerJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    const refusal = refuseCompressed(request);
    if (refusal) return done(refusal);
    // Bytes that are no UTF-8 arrive as this character, and two names that differ in them alone as one.
    if (text.includes('\ufffd')) return done(new ProblemError('invalid', 'body: expected UTF-8'));
    return parse(request, text, (error, value) => {
      if (error) return done(error);
      if (hasDuplicateKeys(text, value)) {
        return done(new ProblemError('invalid', 'body: a field stands there twice'));
      }
      return done(null, value);
    });
  });
}

/** A compressed body may be a thousand times as large as what arrives, and no caller of ours has one that is worth it. */
function refuseCompressed({ headers }: FastifyRequest): ProblemError | undefined {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  return new ProblemError('unsupported-media-type', 'Send the body without a Content-Encoding.');
}

/**
 * Whether an object of this JSON names a field twice; of those JSON.parse keeps the last, other readers the first. Each
 * field has a colon outside of strings, so that the text has more of them than the value has fields.
 *
 * @param text valid JSON
 * @param value what JSON.parse has made of it
 */
export function hasDuplicateKeys(text: string, value: unknown): boolean {
  return countColons(text) > countFields(value);
}

function countColons(text: string): number {
  let colons = 0;
  let isInString = false;
  for (let position = 0; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === quote) isInString = !isInString;
    else if (isInString) position += code === backslash ? 1 : 0;
    else if (code === colon) colons += 1;
  }
  return colons;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

// A list of what is still to be looked at, in place of recursion: 64 KiB of brackets are 30,000 levels.
function countFields(value: unknown): number {
  let fields = 0;
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const members = Object.values(next);
    if (!Array.isArray(next)) fields += members.length;
    for (const member of members) left.push(member);
  }
  return fields;
}
