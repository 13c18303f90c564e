import { z } from 'zod';

// A shop has a handful of kinds; each is a row, and a queue in every process.
const kindsMax = 16;
const expected = `expected at most ${kindsMax} names such as "guest", with commas between`;

/** Which kinds of sequential ids there are. */
export const idsSettings = {
  // A list that is known at the start makes a misspelt kind an error instead of a counter, without asking the database.
  ID_KINDS: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}(,[a-z][a-z0-9-]{0,31})*$/, expected)
    .transform(text => [...new Set(text.split(','))])
    .refine(kinds => kinds.length <= kindsMax, expected)
    .default([])
    .describe(
      'kinds of sequential ids beside `user`, such as `guest,ticket`; each has a counter of its own that begins with its first id',
    ),
};
