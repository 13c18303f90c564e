import { z } from 'zod';

// A shop has a handful of kinds; each costs a row, and a queue in every process.
const kindsMax = 16;
const expected = `expected at most ${kindsMax} names such as "guest", separated by commas`;

/** The kinds of sequential ids. */
export const idsSettings = {
  // Because the list is known at startup, a misspelt kind is an error instead of a new counter, and needs no query.
  ID_KINDS: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}(,[a-z][a-z0-9-]{0,31})*$/, expected)
    .transform(text => [...new Set(text.split(','))])
    .refine(kinds => kinds.length <= kindsMax, expected)
    .default([])
    .describe(
      'kinds of sequential ids besides `user`, such as `guest,ticket`; each has its own counter, created with its first id',
    ),
};
