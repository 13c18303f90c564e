import type { z } from 'zod';
import { secrets } from './config.js';
import { connectionsSettings } from './settings/connections-settings.js';
import { decisionsSettings } from './settings/decisions-settings.js';
import { identitySettings } from './settings/identity-settings.js';
import { idsSettings } from './settings/ids-settings.js';
import { paymentsSettings } from './settings/payments-settings.js';
import { processSettings } from './settings/process-settings.js';
import { protectionSettings } from './settings/protection-settings.js';
import { telemetrySettings } from './settings/telemetry-settings.js';
import { webSettings } from './settings/web-settings.js';
import { webhooksSettings } from './settings/webhooks-settings.js';

type Group = { title: string; readBy: string; settings: Record<string, z.ZodType> };

const groups: readonly Group[] = [
  {
    title: 'The process',
    readBy: 'By every role; rehearsals and `security.txt` are of `api`.',
    settings: processSettings,
  },
  {
    title: 'Servers that it works with',
    readBy: 'By every role and tool, alike in all processes.',
    settings: connectionsSettings,
  },
  {
    title: 'Who may call',
    readBy: 'By `api`; `OPERATOR_ACTIONS_RETENTION_DAYS` by `scheduler`, `SECRET_KEY` by every role.',
    settings: identitySettings,
  },
  { title: 'User ids', readBy: 'By `api`.', settings: idsSettings },
  {
    title: 'Deciding purchases',
    readBy: 'By `api` and `worker`; `ATTEMPTS_RETENTION_DAYS` by `scheduler`, `start` and `migrate`.',
    settings: decisionsSettings,
  },
  {
    title: 'Payments',
    readBy:
      'By `api`, `worker` and `scheduler`; where the sandbox listens and calls back by `sandbox` and `start`.',
    settings: paymentsSettings,
  },
  {
    title: 'Layers of protection',
    readBy: 'By `api`. A limit of 0 is off. [protection.md](protection.md) shows them in their order.',
    settings: protectionSettings,
  },
  {
    title: 'What can be watched',
    readBy: 'By every role; slow requests are of `api`.',
    settings: telemetrySettings,
  },
  { title: 'Pages', readBy: 'By `start` and `api`.', settings: webSettings },
  {
    title: 'Webhooks',
    readBy: 'By `scheduler`, which sends [them](webhooks.md); where they may go by `api` as well.',
    settings: webhooksSettings,
  },
];

/** Every setting as a page in Markdown, from where it is read: docs/settings.md, which a test holds against this. */
export function describeSettings(): string {
  const sections = groups.map(({ title, readBy, settings }) =>
    [
      `## ${title}`,
      '',
      readBy,
      '',
      '| name | default | takes | meaning |',
      '|---|---|---|---|',
      ...Object.entries(settings).map(([name, schema]) => describeSetting(name, schema)),
      '',
    ].join('\n'),
  );
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Settings

From the environment alone, read once at start. Every bad value is named at once, and the process exits 1. An empty variable
counts as not set. \`npx doorbuster config\` prints those in force.

Where a name that ends in \`_FILE\` stands beside it, a setting is a secret or comes as a file: it can be read from that file
instead, such as \`API_KEY_FILE=/run/secrets/api-key\`, and no value of it is printed. What ends in \`_MS\` or \`_TIMEOUT\` is in
milliseconds. What the settings do together is in [the guides](README.md#guides).

This page is written by \`npx doorbuster config --reference\`, from where the settings are read.
`;

function describeSetting(name: string, schema: z.ZodType): string {
  const names = secrets.some(secret => secret === name) ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  return `| ${names} | ${defaultOf(schema)} | ${takenBy(schema)} | ${schema.description ?? ''} |`;
}

function defaultOf(schema: z.ZodType): string {
  const value = schema.safeParse(undefined).data;
  const text = value === undefined ? '' : String(value);
  return text === '' ? '' : `\`${text}\``;
}

// It is said once, in the refusal: whatever has a form refuses this.
const refused = '?';

function takenBy(schema: z.ZodType): string {
  const message = schema.safeParse(refused).error?.issues[0]?.message ?? 'expected text';
  const [, expected = ''] = /expected (.*)$/s.exec(message) ?? [];
  const values = [...expected.matchAll(/"([^"]*)"/g)].map(([, value]) => `\`${value}\``);
  if (expected.startsWith('one of ')) return values.join(', ');
  // Addresses as code, or GitHub makes links of them.
  return expected.replace('a whole number from ', '').replaceAll(/[a-z]+:\/\/[^\s,]*/g, '`$&`');
}
