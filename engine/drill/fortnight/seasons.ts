/**
 * Two weeks in which the clocks of Europe and America both change, and where quick ones begin, hours before Berlin's change.
 *
 * They lie ahead. While a program waits, libfaketime shows its signal handlers the real time: PostgreSQL would end idle
 * sessions at once in a time that is past, and in one to come it only ends them late.
 */
export const seasons = {
  autumn: { startsAt: '2033-10-25T04:10:00Z', quickStartsAt: '2033-10-29T20:10:00Z' },
  spring: { startsAt: '2033-03-13T04:10:00Z', quickStartsAt: '2033-03-26T20:10:00Z' },
} as const;

export const seasonNames = ['autumn', 'spring'] as const;
export type Season = (typeof seasonNames)[number];
