import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../answers/send-problem.js';

/** Parses bodies as unambiguous JSON: what two parsers could read differently is refused. */
export function registerJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    const refusal = refuseCompressed(request);
    if (refusal) return done(refusal);
    // Bytes that are not UTF-8 arrive as this character, so two names that differ only in such bytes would be equal.
    if (text.includes('\ufffd')) return done(new ProblemError('invalid', 'body: expected UTF-8'));
    return parse(request, text, (error, value) => {
      if (error) return done(error);
      if (hasDuplicateKeys(text, value)) {
        return done(new ProblemError('invalid', 'body: a field occurs twice'));
      }
      return done(null, value);
    });
  });
}

/** Refuses a compressed body: it may expand a thousandfold, and no request to this API is large enough to need it. */
function refuseCompressed({ headers }: FastifyRequest): ProblemError | undefined {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return undefined;
  return new ProblemError('unsupported-media-type', 'Send the body without a Content-Encoding.');
}

/**
 * Whether an object in this JSON names a field twice. JSON.parse keeps the last of the two, other parsers the first.
 * Each field has a colon outside strings, so with a duplicate the text has more colons than the value has fields.
 *
 * @param text valid JSON
 * @param value the result of JSON.parse
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

// Keeps a list of objects to visit instead of recursing: 64 KiB of brackets are 30,000 levels.
function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let fields = 0;
  const left: object[] = [value];
  for (let next = left.pop(); next; next = left.pop()) {
    const members = Object.values(next);
    if (!Array.isArray(next)) fields += members.length;
    for (const member of members) if (typeof member === 'object' && member !== null) left.push(member);
  }
  return fields;
}
