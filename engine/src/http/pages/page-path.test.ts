import { describe, expect, it } from 'vitest';
import { pagePathOf } from './page-path.js';

describe('the path of a page', () => {
  it.each([
    ['/', '/'],
    ['/drops/1', '/drops/1'],
    ['/drops/1?from=mail', '/drops/1'],
    ['/%64rops/1', '/drops/1'],
    ['/_next/static/chunks/a.b-c_d~e.js', '/_next/static/chunks/a.b-c_d~e.js'],
    ['/_next/static/chunks/%5Bid%5D.js', '/_next/static/chunks/%5Bid%5D.js'],
    ['/_next/static/chunks/[id].js', '/_next/static/chunks/%5Bid%5D.js'],
    ['/.well-known/x', '/.well-known/x'],
    ['/caf%C3%A9/..x/x..', '/caf%C3%A9/..x/x..'],
  ])('%s is %s', (url, path) => {
    expect(pagePathOf(url)).toBe(path);
  });

  it.each([
    ...['/..', '/.', '/../', '/a/../b', '/a/./b', '/_next/static/../../drops/1', '/a/..'],
    ...['/%2e%2e/a', '/a/.%2E/b', '/a/%2e/b', '/a%2f..%2fb', '/a%2Fb', '/%252e%252e/a', '/a%25'],
    ...['//', '//evil.example/', '/a//b', '/a\\..\\b', '/a%5cb', '/a%5C..'],
    ...['/a%00', '/a%0d%0ab', '/a%23b', '/a#b', '/a%3fb', '/%zz', '/%', '/%c3', '*', '', 'http://a/b'],
  ])('%s has none', url => {
    expect(pagePathOf(url)).toBeUndefined();
  });
});
