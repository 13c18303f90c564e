import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasDuplicateKeys } from './parse-json.js';

const duplicated = (text: string) => hasDuplicateKeys(text, JSON.parse(text));

describe('a duplicate key', () => {
  it('is not reported in JSON that has none, whatever its strings contain', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        expect(duplicated(text)).toBe(false);
      }),
    );
  });

  it('is found at any position and in any spelling', () => {
    const spelled = (key: string) => `"${[...key].map(escaped).join('')}"`;
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.json(), fc.json(), (key, one, other) => {
        const text = `{${JSON.stringify(key)}:${one},${spelled(key)}:${other}}`;
        expect(duplicated(text)).toBe(true);
        expect(duplicated(`[1,{"a":{"b":[${text}]}}]`)).toBe(true);
      }),
    );
  });

  it('is found at any depth', () => {
    expect(duplicated(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).toBe(false);
  });
});

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
