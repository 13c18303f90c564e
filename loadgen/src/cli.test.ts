import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseOptions } from './cli.js';

const GIVEN = ['--api-key', 'k', '--operator-token', 't'];
const directories: string[] = [];

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function parse(args: string[], env: NodeJS.ProcessEnv = {}, directory = '/nowhere') {
  return parseOptions(args, { env, directory, writeOut: () => {} });
}

describe('settings', () => {
  it('have the defaults of the scenario, and numbers may be written with separators', () => {
    const options = parse([...GIVEN, '--scenario', 'sellout', '--requests', '250,000']);
    expect(options?.settings).toEqual({ requests: 250_000, connections: 2_000, units: 10_000 });
    expect(options).toMatchObject({
      keys: true,
      verify: true,
      requestTimeoutMs: 10_000,
      tolerateErrors: false,
    });
  });

  it('lose the default duration when a number of requests is given', () => {
    expect(parse([...GIVEN, '--scenario', 'throughput', '--requests', '5'])?.settings).toEqual({
      connections: 200,
      requests: 5,
    });
  });

  it('include shares and percentages, and 0 is a valid percentage', () => {
    const args = ['--scenario', 'mixed', '--shares', '0,100,0', '--abandon', '0'];
    expect(parse([...GIVEN, ...args])?.settings).toMatchObject({
      shares: { direct: 0, checkout: 100, queued: 0 },
      abandonPercent: 0,
      holdS: 2,
    });
  });

  it.each([
    [
      ['--scenario', 'nope'],
      /expected one of race, sellout, throughput, constant, vus, checkout, crowd, mixed, scale, overload, rehearsal, ids, raw/,
    ],
    [[], /--scenario is missing: expected one of race/],
    [
      ['--scenario', 'race', '--rate', '5'],
      /--rate does not apply to the scenario race; it takes .*--shoppers/,
    ],
    [
      ['--scenario', 'race', '--units', '1.5'],
      /--units 1.5: expected a whole number from 1 up to 2,147,483,647/,
    ],
    [['--scenario', 'race', '--units', '-1'], /--units -1: expected a whole number/],
    [['--scenario', 'race', '--shoppers', 'many'], /--shoppers many: expected/],
    [['--scenario', 'race', '--timeout', '0'], /--timeout 0: expected a number above 0/],
    [['--scenario', 'race', '--url', 'https://x'], /only http:\/\/ is supported/],
    [['--scenario', 'raw', '--path', 'null'], /expected a path such as/],
    [
      ['--scenario', 'mixed', '--shares', '60,25'],
      /--shares 60,25: expected three whole numbers that add up to 100/,
    ],
    [['--scenario', 'mixed', '--shares', '60,25,16'], /--shares 60,25,16: expected/],
    [['--scenario', 'mixed', '--shares', '60,25,15,0'], /--shares 60,25,15,0: expected/],
    [['--scenario', 'mixed', '--shares', '110,-25,15'], /--shares 110,-25,15: expected/],
    [['--scenario', 'mixed', '--abandon', '101'], /--abandon 101: expected a whole number from 0 up to 100/],
    [['--scenario', 'mixed', '--path', '/x'], /--path does not apply to the scenario mixed/],
    [['--scenario', 'crowd', '--path', '/x'], /--path does not apply to the scenario crowd/],
    [['--scenario', 'sellout', '--shares', '60,25,15'], /--shares does not apply to the scenario sellout/],
    [['--scenario', 'scale', '--orders', '0'], /--orders 0: expected a whole number from 1/],
    [['--scenario', 'scale', '--settle-within', '0'], /--settle-within 0: expected a number above 0/],
    [['--scenario', 'race', '--fast'], /unknown option '--fast'/],
    [['--scenario', 'race', 'now'], /too many arguments/],
  ])('are refused with a message that says what was expected: %j', (args, message) => {
    expect(() => parse([...GIVEN, ...args])).toThrow(message);
  });
});

describe('credentials', () => {
  it('are taken from the option, then the environment, then the data directory', () => {
    const directory = dataDirectory({ 'api-key': 'file-key\n', 'operator-token': 'file-token\n' });
    const env = { API_KEY: 'env-key' };
    expect(parse(['--scenario', 'race'], {}, directory)).toMatchObject({
      apiKey: 'file-key',
      operatorToken: 'file-token',
    });
    expect(parse(['--scenario', 'race'], env, directory)?.apiKey).toBe('env-key');
    expect(parse(['--scenario', 'race', '--api-key', 'given'], env, directory)?.apiKey).toBe('given');
    const file = join(directory, '.doorbuster', 'operator-token');
    const withFile = parse(['--scenario', 'race', '--api-key', 'k', '--operator-token-file', file]);
    expect(withFile?.operatorToken).toBe('file-token');
  });

  it.each([
    [['--operator-token', 't'], /--api-key <key> or set API_KEY/],
    [['--api-key', 'k'], /--operator-token-file <file>, or set OPERATOR_TOKEN/],
    [['--api-key', 'k', '--product-id', '4'], /OPERATOR_TOKEN/],
  ])('that are missing are named: %j', (args, message) => {
    expect(() => parse(['--scenario', 'race', ...args])).toThrow(message);
  });

  it('are not required where they are not needed', () => {
    expect(parse(['--scenario', 'raw'])).toMatchObject({ apiKey: null, operatorToken: null, verify: false });
    const args = ['--scenario', 'race', '--api-key', 'k', '--product-id', '4', '--no-verify'];
    expect(parse(args)).toMatchObject({ operatorToken: null, productId: 4 });
  });
});

describe('callers', () => {
  it('are read as header lines, one shopper a line', () => {
    const file = callersFile(
      '{"authorization":"Bearer a"}\n{"cookie":"c=1","sec-fetch-site":"same-origin"}\n',
    );
    expect(parse(['--scenario', 'raw', '--callers', file])?.callers).toEqual([
      'authorization: Bearer a\r\n',
      'cookie: c=1\r\nsec-fetch-site: same-origin\r\n',
    ]);
  });

  it.each([
    ['', /expected at least one line/],
    ['{"authorization":"Bearer a"}\n\nBearer b\n', /line 3: expected headers as a JSON object/],
    ['"Bearer b"\n', /line 1: expected headers/],
    ['["Bearer b"]\n', /line 1: expected headers/],
    ['{}\n', /line 1: expected headers/],
    ['{"a b":"c"}\n', /line 1: expected headers/],
    ['{"cookie":"c\\r\\nhost: x"}\n', /line 1: expected headers/],
    ['{"cookie":1}\n', /line 1: expected headers/],
  ])('that cannot be sent are refused: %j', (text, message) => {
    expect(() => parse(['--scenario', 'raw', '--callers', callersFile(text)])).toThrow(message);
  });

  it('have to be readable, and apply to raw requests only', () => {
    expect(() => parse(['--scenario', 'raw', '--callers', '/nowhere/x'])).toThrow(/expected a readable file/);
    const args = [...GIVEN, '--scenario', 'sellout', '--callers', callersFile('{"cookie":"c=1"}\n')];
    expect(() => parse(args)).toThrow(/--callers applies only to the scenario raw, not to sellout/);
  });
});

it('--help shows each scenario with its defaults', () => {
  let help = '';
  const shown = parseOptions(['--help'], { env: {}, directory: '/', writeOut: text => (help += text) });
  expect(shown).toBeNull();
  expect(help).toContain('--connections 2,000 --requests 1,000,000 --units 10,000');
  expect(help).toContain('--shares 60,25,15 --abandon 20 --hold 2');
});

function callersFile(text: string): string {
  const file = join(dataDirectory({}), 'callers');
  writeFileSync(file, text);
  return file;
}

function dataDirectory(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'load-'));
  directories.push(directory);
  mkdirSync(join(directory, '.doorbuster'));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, '.doorbuster', name), text, { mode: 0o600 });
  return directory;
}
