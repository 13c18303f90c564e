import { LoadFailure } from '../failure.js';
import { integer } from '../text.js';
import type { Scenario, SettingName, Settings } from './scenario.js';

interface SettingRule {
  readonly flag: string;
  readonly max: number;
  readonly summary: string;
  /** Fractions make sense, as of seconds. */
  readonly fractional?: true;
}

/** The command line of each setting. */
export const SETTING_RULES: Readonly<Record<SettingName, SettingRule>> = {
  // Beyond 20,000 the ports of one client address run out.
  connections: {
    flag: 'connections',
    max: 20_000,
    summary: 'keep-alive connections, one request in flight each',
  },
  shoppers: { flag: 'shoppers', max: 20_000, summary: 'shoppers at the same instant' },
  purchases: { flag: 'purchases', max: 1_000, summary: 'purchases per shopper' },
  // Ordinals are written with nine digits.
  requests: { flag: 'requests', max: 999_999_999, summary: 'requests in all' },
  // What an integer column holds.
  units: { flag: 'units', max: 2_147_483_647, summary: 'units of the sale' },
  durationS: { flag: 'duration', max: 86_400, summary: 'seconds', fractional: true },
  ratePerSecond: { flag: 'rate', max: 1_000_000, summary: 'arrivals per second', fractional: true },
};

export const SETTING_NAMES: readonly SettingName[] = [
  'connections',
  'requests',
  'durationS',
  'units',
  'shoppers',
  'purchases',
  'ratePerSecond',
];

/** Reads a number as a person writes it: `1000000`, `1,000,000` or `1_000_000`. NaN when it is none. */
export function parseNumber(text: string): number {
  return /^\d[\d,_]*(\.\d+)?$/.test(text) ? Number(text.replace(/[,_]/g, '')) : Number.NaN;
}

/**
 * Checks what was given and fills in the scenario's defaults.
 * @throws LoadFailure `usage` for a number out of range, or a setting that the scenario does not take.
 */
export function resolveSettings(scenario: Scenario, given: Partial<Record<SettingName, string>>): Settings {
  const taken = SETTING_NAMES.filter(name => name in scenario.defaults || scenario.optional.includes(name));
  const settings: Partial<Record<SettingName, number>> = { ...scenario.defaults };
  // Asked for a number of requests, nobody expects a default duration to cut it short.
  if (given.requests !== undefined && scenario.optional.includes('requests')) delete settings.durationS;
  for (const name of SETTING_NAMES) {
    const text = given[name];
    if (text === undefined) continue;
    if (!taken.includes(name)) throw notTaken(scenario, name, taken);
    settings[name] = parseSetting(name, text);
  }
  return settings;
}

function parseSetting(name: SettingName, text: string): number {
  const { flag, max, fractional } = SETTING_RULES[name];
  const value = parseNumber(text);
  if (value > 0 && value <= max && (fractional === true || Number.isInteger(value))) return value;
  const kind = fractional === true ? 'a number above 0' : 'a whole number from 1';
  throw new LoadFailure('usage', `--${flag} ${text}: expected ${kind} up to ${integer(max)}.`);
}

function notTaken(scenario: Scenario, name: SettingName, taken: readonly SettingName[]): LoadFailure {
  const flags = taken.map(each => `--${SETTING_RULES[each].flag}`).join(', ');
  return new LoadFailure(
    'usage',
    `--${SETTING_RULES[name].flag} has no meaning in the scenario ${scenario.name}; it takes ${flags}.`,
  );
}
