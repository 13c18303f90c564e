import { describe, expect, it } from 'vitest';
import { createIsWithin, readAddress } from './addresses.js';

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:207', '192.0.2.7'],
    ['2001:0DB8::0:1', '2001:db8::1'],
    ['fe80::1%eth0.100', 'fe80::1'],
  ])('is read from %s as %s', (text, address) => {
    expect(readAddress(text)?.toString()).toBe(address);
  });

  it.each(['', '127.1', '0x7f.0.0.1', '2130706433', '010.0.0.1', '1::2::3', '[::1]', '::1/128'])(
    'is not read from %j',
    text => {
      expect(readAddress(text)).toBeUndefined();
    },
  );
});

describe('ranges', () => {
  const ranges = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1', '::ffff:198.51.100.0/120'];

  it.each([
    ['10.255.0.1', '192.0.2.1', 'fd12::1', '::1'],
    // The same addresses mapped into IPv6, as a dual-stack socket reports IPv4 peers; and a range written that way.
    ['::ffff:10.0.0.1', '::ffff:c000:201', '198.51.100.9', '::ffff:198.51.100.9'],
  ])('contain %s, %s, %s and %s', (...inside) => {
    expect(inside.map(isWithin(ranges))).toEqual(inside.map(() => true));
  });

  it('contain no other address, and an empty list contains none', () => {
    const outside = ['11.0.0.1', '192.0.2.2', 'fe00::1', '::2', '198.51.101.0', '::ffff:11.0.0.1'];
    expect(outside.map(isWithin(ranges))).toEqual(outside.map(() => false));
    expect(['10.0.0.1', '::1'].map(isWithin([]))).toEqual([false, false]);
  });
});

function isWithin(ranges: readonly string[]): (text: string) => boolean {
  const within = createIsWithin(ranges);
  return text => {
    const address = readAddress(text);
    return address !== undefined && within(address);
  };
}
