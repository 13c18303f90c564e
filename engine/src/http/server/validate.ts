import { validatorCompiler } from 'fastify-type-provider-zod';
import { safeParse, z } from 'zod';

/** Schemas of bodies with a check for the usual body. What passes it passes the schema unchanged, and costs less. */
export const plainBodies = z.registry<{ isPlain: (body: unknown) => boolean }>();

/**
 * Compiles validators as the type provider does, with two exceptions. A plain body (see above) is not parsed. Of the
 * headers, each documented one that is present is checked on its own, and the object stays as it is: parsing all
 * headers, most of which the API does not use, cost the hot path a tenth.
 */
export const compileValidator: typeof validatorCompiler = route => {
  const parse = validatorCompiler(route);
  const { schema } = route;
  const isPlain = schema instanceof z.ZodType ? plainBodies.get(schema)?.isPlain : undefined;
  if (isPlain) return body => (isPlain(body) ? { value: body } : parse(body));
  if (route.httpPart !== 'headers' || !(schema instanceof z.ZodObject)) return parse;
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, createIsValid(field)] as const);
  return headers => {
    const isValid = fields.every(
      ([name, isValidField]) => headers[name] === undefined || isValidField(headers[name]),
    );
    return isValid ? { value: headers } : parse(headers);
  };
};

/** A text that only has to match a pattern needs no parser. */
function createIsValid(field: z.core.$ZodType): (value: unknown) => boolean {
  const text = field instanceof z.ZodOptional ? field.unwrap() : field;
  const [check, ...others] = text instanceof z.ZodString ? (text.def.checks ?? []) : [];
  if (!(check instanceof z.core.$ZodCheckRegex) || others.length > 0)
    return value => safeParse(field, value).success;
  const { pattern } = check._zod.def;
  return value => typeof value === 'string' && pattern.test(value);
}
