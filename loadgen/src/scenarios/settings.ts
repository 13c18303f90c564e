import { ENTRANCES } from '../contract/road.js';
import { LoadFailure } from '../failure.js';
import { integer } from '../text.js';
import type { Shares } from '../traffic/mix.js';
import type { NumberName, Scenario, SettingName, Settings } from './scenario.js';

interface SettingRule {
  readonly flag: string;
  readonly max: number;
  /** Defaults to 1; a fractional setting takes any number above 0. */
  readonly min?: number;
  readonly summary: string;
  /** Fractions are allowed, as for seconds. */
  readonly fractional?: true;
}

/** The command-line option of each setting. */
export const SETTING_RULES: Readonly<
  Record<NumberName, SettingRule> & { shares: Pick<SettingRule, 'flag' | 'summary'> }
> = {
  // Beyond 20,000 one client address runs out of ports.
  connections: {
    flag: 'connections',
    max: 20_000,
    summary: 'keep-alive connections, one request in flight each',
  },
  shoppers: { flag: 'shoppers', max: 20_000, summary: 'shoppers who buy at the same instant' },
  purchases: { flag: 'purchases', max: 1_000, summary: 'purchases per shopper' },
  // Ordinals are written with nine digits.
  requests: { flag: 'requests', max: 999_999_999, summary: 'total number of requests' },
  visitors: { flag: 'visitors', max: 999_999_999, summary: 'shoppers who ask in turn, again and again' },
  orders: { flag: 'orders', max: 999_999_999, summary: 'total number of queued orders' },
  // The maximum of an integer column.
  units: { flag: 'units', max: 2_147_483_647, summary: 'units of the sale' },
  durationS: { flag: 'duration', max: 86_400, summary: 'seconds', fractional: true },
  ratePerSecond: { flag: 'rate', max: 1_000_000, summary: 'arrivals per second', fractional: true },
  shares: { flag: 'shares', summary: 'percentages of purchases, checkouts and queued orders' },
  abandonPercent: {
    flag: 'abandon',
    min: 0,
    max: 100,
    summary: 'percentage of checkouts that are never redeemed',
  },
  singlesPercent: {
    flag: 'singles',
    min: 0,
    max: 100,
    summary: 'percentage of requests that ask for a single id',
  },
  // The largest batch that the server returns.
  batchSize: { flag: 'batch', max: 10_000, summary: 'ids in a batch' },
  holdS: { flag: 'hold', max: 86_400, summary: 'seconds that a checkout holds its units' },
};

export const SETTING_NAMES: readonly SettingName[] = [
  'connections',
  'requests',
  'orders',
  'durationS',
  'units',
  'shoppers',
  'visitors',
  'purchases',
  'ratePerSecond',
  'shares',
  'abandonPercent',
  'holdS',
  'singlesPercent',
  'batchSize',
];

/** Parses a number as a person writes it: `1000000`, `1,000,000` or `1_000_000`. NaN for anything else. */
export function parseNumber(text: string): number {
  return /^\d[\d,_]*(\.\d+)?$/.test(text) ? Number(text.replace(/[,_]/g, '')) : Number.NaN;
}

/**
 * Checks the given settings and fills in the scenario's defaults.
 * @throws LoadFailure `usage` for a number out of range, or a setting that does not apply to the scenario.
 */
export function resolveSettings(scenario: Scenario, given: Partial<Record<SettingName, string>>): Settings {
  const taken = SETTING_NAMES.filter(name => name in scenario.defaults || scenario.optional.includes(name));
  const settings: { -readonly [Name in SettingName]?: Settings[Name] } = { ...scenario.defaults };
  // A user who sets a number of requests does not expect a default duration to end the run early.
  if (given.requests !== undefined && scenario.optional.includes('requests')) delete settings.durationS;
  for (const name of SETTING_NAMES) {
    const text = given[name];
    if (text === undefined) continue;
    if (!taken.includes(name)) throw notTaken(scenario, name, taken);
    if (name === 'shares') settings.shares = parseShares(text);
    else settings[name] = parseSetting(name, text);
  }
  return settings;
}

/** A setting as it is written on the command line. */
export function settingText(name: SettingName, settings: Settings): string | null {
  if (name !== 'shares') {
    const value = settings[name];
    return value === undefined ? null : integer(value);
  }
  return settings.shares === undefined
    ? null
    : ENTRANCES.map(entrance => settings.shares?.[entrance]).join(',');
}

function parseShares(text: string): Shares {
  const [direct = Number.NaN, checkout = Number.NaN, queued = Number.NaN, ...rest] = text
    .split(',')
    .map(part => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  if (direct + checkout + queued === 100 && rest.length === 0) return { direct, checkout, queued };
  throw new LoadFailure(
    'usage',
    `--shares ${text}: expected three whole numbers that add up to 100, such as 60,25,15: percentages of purchases, ` +
      'checkouts and queued orders.',
  );
}

function parseSetting(name: NumberName, text: string): number {
  const { flag, max, fractional, min = 1 } = SETTING_RULES[name];
  const value = parseNumber(text);
  const isIn = fractional === true ? value > 0 : value >= min && Number.isInteger(value);
  if (isIn && value <= max) return value;
  const kind = fractional === true ? 'a number above 0' : `a whole number from ${min}`;
  throw new LoadFailure('usage', `--${flag} ${text}: expected ${kind} up to ${integer(max)}.`);
}

function notTaken(scenario: Scenario, name: SettingName, taken: readonly SettingName[]): LoadFailure {
  const flags = taken.map(each => `--${SETTING_RULES[each].flag}`).join(', ');
  return new LoadFailure(
    'usage',
    `--${SETTING_RULES[name].flag} does not apply to the scenario ${scenario.name}; it takes ${flags}.`,
  );
}
