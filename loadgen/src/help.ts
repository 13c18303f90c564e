import { SCENARIOS } from './scenarios/catalogue.js';
import type { Scenario } from './scenarios/scenario.js';
import { SETTING_NAMES, SETTING_RULES, settingText } from './scenarios/settings.js';

/** The text of --help below the options. */
export function helpText(): string {
  const scenarios = SCENARIOS.map(
    scenario =>
      `  ${scenario.name.padEnd(12)}${scenario.summary}\n${' '.repeat(14)}${defaultFlags(scenario)}`,
  );
  return `
Scenarios and their defaults:
${scenarios.join('\n')}

Examples:
  npm run load -- --scenario race
  npm run load -- --scenario race --shoppers 500 --units 20
  npm run load -- --scenario sellout --requests 200,000 --connections 500
  npm run load -- --scenario throughput --duration 20 --json report.json
  npm run load -- --scenario constant --rate 5000 --duration 60
  npm run load -- --scenario mixed --shares 40,40,20 --abandon 50
  npm run load -- --scenario scale --orders 20,000
  npm run load -- --scenario overload --rate 2000
  npm run load -- --scenario ids --singles 0 --batch 1,000 --url http://127.0.0.1:3000,http://127.0.0.1:3001
  npm run load -- --scenario raw --url http://127.0.0.1:4000 --path /null
  npm run load -- --scenario throughput --tolerate-errors --journal acknowledged.ndjson

Exit codes: 0 the verdict passed, 1 it failed, 2 the run could not take place, 130 interrupted and not verified.
`;
}

function defaultFlags({ defaults, optional }: Scenario): string {
  const flags = SETTING_NAMES.flatMap(name => {
    const text = settingText(name, defaults);
    return text === null ? [] : [`--${SETTING_RULES[name].flag} ${text}`];
  });
  return [...flags, ...optional.map(name => `[--${SETTING_RULES[name].flag}]`)].join(' ');
}
