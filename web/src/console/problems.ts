import { Refusal } from '../api/operator';

/** What is wrong with which field, as the engine said: "endsAt: expected ...; allocation: expected ...". */
export type Problems = { of(field: string): string | undefined; rest: string | undefined };

/** @param fields that are shown; what is wrong elsewhere is said above the form. */
export function problemsOf(error: Error | null, fields: readonly string[]): Problems {
  const found = new Map<string, string>();
  const rest: string[] = [];
  for (const text of error ? partsOf(error) : []) {
    const [, field = '', message = ''] = /^([\w.]+): (.+)$/s.exec(text) ?? [];
    const shown = fields.find(name => name === field);
    if (shown === undefined) rest.push(text);
    else found.set(shown, sentence(message));
  }
  return { of: field => found.get(field), rest: rest.length > 0 ? rest.join('; ') : undefined };
}

function partsOf(error: Error): string[] {
  return error instanceof Refusal && error.slug === 'invalid' ? error.message.split('; ') : [error.message];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
