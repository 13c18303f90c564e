import { describe, expect, it } from 'vitest';
import { addressKey } from './client-address.js';

describe('the key of an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7:51234', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:207', '192.0.2.7'],
    ['[::ffff:192.0.2.7]:443', '192.0.2.7'],
    ['::ffff:192.0.2.7%eth0', '192.0.2.7'],
    // "IPv4-compatible", which RFC 4291 has withdrawn: nobody has such an address.
    ['::192.0.2.7', '192.0.2.7'],
  ])('is the IPv4 address itself for %s', (text, key) => {
    expect(addressKey(text)).toBe(key);
  });

  it.each([
    '2001:db8:1:2::1',
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:0DB8:0001:0002:0:0:0:9',
    '[2001:db8:1:2::5]:443',
    '2001:db8:1:2::192.0.2.7',
    '2001:db8:1:2::%eth0',
    '2001:db8:1:2::%eth0.100',
    '2001:db8:1:2::%en-0',
  ])('is the /64 of %s', text => {
    expect(addressKey(text)).toBe('2001:db8:1:2::/64');
  });

  it('differs between two /64 networks', () => {
    expect(addressKey('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(addressKey('::1')).toBe('0:0:0:0::/64');
    expect(addressKey('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  });

  it.each([
    '',
    'unknown',
    '_hidden',
    '192.0.2',
    '192.0.2.7.9',
    '999.1.1.1',
    '0x7f.1',
    '0177.0.0.1',
    '[::1',
    '1::2::3',
    '12345::',
    ':::',
    '1',
    'a'.repeat(5000),
  ])('is undefined for %j, which is not an address', text => {
    expect(addressKey(text)).toBeUndefined();
  });
});
