/**
 * Two weeks in which the clocks of both Europe and America change, and where quick runs begin: hours before Berlin's
 * change.
 *
 * They are in the future. While a program waits, libfaketime shows its signal handlers the real time. With a simulated
 * time in the past, PostgreSQL would end idle sessions at once; with one in the future it only ends them late.
 */
export const seasons = {
  autumn: { startsAt: '2033-10-25T04:10:00Z', quickStartsAt: '2033-10-29T20:10:00Z' },
  spring: { startsAt: '2033-03-13T04:10:00Z', quickStartsAt: '2033-03-26T20:10:00Z' },
} as const;

export const seasonNames = ['autumn', 'spring'] as const;
export type Season = (typeof seasonNames)[number];
