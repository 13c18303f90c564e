/**
 * Fields whose values no example can predict: secrets, durations, and values that depend on the machine or the time.
 */
const ofTheMoment = new Set([
  ...['token', 'csrfToken', 'code', 'secret', 'signature', 'salt', 'challenge', 'requestId', 'userAgent'],
  ...[
    'durationMs',
    'tookMs',
    'queryTimeMs',
    'uptimeSeconds',
    'remainingMs',
    'lagMs',
    'waitMs',
    'process',
    'elapsedMs',
  ],
]);

const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const formats = [uuid, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, /^\d{4}-\d\d-\d\d$/];

type Fields = Record<string, unknown>;
type Place = {
  /** Where in the answer, for the message. */
  at: string;
  /** Whether values are compared, or only their types: then null matches any type, and so does an empty list. */
  mode: 'values' | 'types';
};

/**
 * Where an answer differs from its example: in a key, a type or a value. Times and UUIDs only need the same format, and
 * values that no example can predict only the same type. A list may be longer than its example, unless the example is
 * empty.
 */
export function differencesFrom(
  example: unknown,
  answer: unknown,
  { at, mode }: Place = { at: 'answer', mode: 'values' },
): string[] {
  const differs = [`${at} is ${JSON.stringify(answer)}, not ${JSON.stringify(example)}`];
  if (mode === 'types' && (example === null || answer === null)) return [];
  if (Array.isArray(example)) {
    if (!Array.isArray(answer)) return differs;
    const isTooShort = answer.length < example.length || (example.length === 0 && answer.length > 0);
    if (mode === 'values' && isTooShort) return differs;
    return example
      .slice(0, answer.length)
      .flatMap((element, index) => differencesFrom(element, answer[index], { at: `${at}[${index}]`, mode }));
  }
  if (isObject(example)) {
    if (!isObject(answer)) return differs;
    const names = new Set([...Object.keys(example), ...Object.keys(answer)]);
    return [...names].flatMap(name =>
      differencesOfField(name, example, answer, { at: `${at}.${name}`, mode }),
    );
  }
  return isSame(example, answer, mode) ? [] : differs;
}

function differencesOfField(name: string, example: Fields, answer: Fields, place: Place): string[] {
  if (!(name in example)) return [`${place.at} is not in the example`];
  if (!(name in answer)) return [`${place.at} is only in the example`];
  const isOfTheMoment = ofTheMoment.has(name) && example[name] !== null && answer[name] !== null;
  return differencesFrom(example[name], answer[name], isOfTheMoment ? { ...place, mode: 'types' } : place);
}

function isSame(example: unknown, answer: unknown, mode: Place['mode']): boolean {
  if (mode === 'types') return typeof example === typeof answer;
  if (typeof example !== 'string' || typeof answer !== 'string') return example === answer;
  return example === answer || formats.some(format => format.test(example) && format.test(answer));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
