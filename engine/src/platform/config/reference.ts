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
    readBy:
      'Read by every role; `ENABLE_REHEARSAL`, `LOADGEN_PATH`, `SECURITY_CONTACT` and `WARM_UP_MS` only by `api`.',
    settings: processSettings,
  },
  {
    title: 'Servers',
    readBy: 'Read by every role and tool. Give all processes the same values.',
    settings: connectionsSettings,
  },
  {
    title: 'Who may call',
    readBy: 'Read by `api`; `OPERATOR_ACTIONS_RETENTION_DAYS` by `scheduler`, `SECRET_KEY` by every role.',
    settings: identitySettings,
  },
  { title: 'User ids', readBy: 'Read by `api`.', settings: idsSettings },
  {
    title: 'Deciding purchases',
    readBy: 'Read by `api` and `worker`; `ATTEMPTS_RETENTION_DAYS` by `scheduler`, `start` and `migrate`.',
    settings: decisionsSettings,
  },
  {
    title: 'Payments',
    readBy:
      'Read by `api`, `worker` and `scheduler`; `SANDBOX_PORT` and `PAYMENT_WEBHOOK_URL` by `sandbox` and `start`.',
    settings: paymentsSettings,
  },
  {
    title: 'Layers of protection',
    readBy:
      'Read by `api`. 0 turns a limit off. [protection.md](protection.md) shows the layers in the order they apply.',
    settings: protectionSettings,
  },
  {
    title: 'Monitoring',
    readBy: 'Read by every role; `SLOW_REQUEST_MS` by `api`.',
    settings: telemetrySettings,
  },
  { title: 'Pages', readBy: 'Read by `start` and `api`.', settings: webSettings },
  {
    title: 'Webhooks',
    readBy:
      'Read by `scheduler`, which sends [webhooks](webhooks.md); `WEBHOOK_ALLOW_NETWORKS` also by `api`.',
    settings: webhooksSettings,
  },
];

/** Every setting as a Markdown page: docs/settings.md, which a test compares with this. */
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

Settings come only from the environment. Each process reads them once at startup. If any value is bad, the process names
all bad values and exits 1. An empty variable counts as not set. \`npx doorbuster config\` prints the values in force.

A setting that also has a name ending in \`_FILE\` is a secret or usually comes as a file. You can pass it in that file
instead, for example \`API_KEY_FILE=/run/secrets/api-key\`, and its value is never printed. Settings that end in \`_MS\`
or \`_TIMEOUT\` are in milliseconds. [The guides](README.md#guides) explain how the settings work together.

\`npx doorbuster config --reference\` generates this page from the code that reads the settings.
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

// The format of a value is stated once, in its error message: every setting that has a format refuses this text.
const refused = '?';

function takenBy(schema: z.ZodType): string {
  const message = schema.safeParse(refused).error?.issues[0]?.message ?? 'expected text';
  const [, expected = ''] = /expected (.*)$/s.exec(message) ?? [];
  const values = [...expected.matchAll(/"([^"]*)"/g)].map(([, value]) => `\`${value}\``);
  if (expected.startsWith('one of ')) return values.join(', ');
  // Addresses as code; otherwise GitHub turns them into links.
  return expected.replace('a whole number from ', '').replaceAll(/[a-z]+:\/\/[^\s,]*/g, '`$&`');
}
