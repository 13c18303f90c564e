import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeConfig, readConfig } from '../src/platform/config/config.js';
import { createTestDatabase } from './support/database.js';
import { documents, livingDocuments, readDocument, root } from './support/documents.js';

/** Names written like settings that are not settings of the engine. */
const otherNames = {
  API_PROCESSES: 'of deploy/compose.full.yaml',
  API_URL: 'of the web process',
  ARTILLERY_DISABLE_TELEMETRY: "Artillery's",
  BASE_URL: "of the load generator's warm-up",
  CHROMIUM_PATH: 'of the tests',
  MESSAGE_UNREADABLE: 'an error of the queue',
  OTEL_EXPORTER_OTLP_HEADERS: "of OpenTelemetry's SDK",
  OTEL_EXPORTER_OTLP_TIMEOUT: "of OpenTelemetry's SDK",
  OTEL_RESOURCE_ATTRIBUTES: "of OpenTelemetry's SDK",
  OTEL_SERVICE_NAME: "of OpenTelemetry's SDK",
  SCHEMA_BEHIND: 'an error of migrations',
  SCHEMA_NEWER: 'an error of migrations',
  SCHEMA_OLDER: 'an error of migrations',
  TOPOLOGY_CHANGED: 'an error of the queue',
};

/** The text without its code. */
const proseOf = (text: string) => text.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '``');

/** Anchors as GitHub makes them: letters and digits of the heading in lower case, with a hyphen for each space. */
function anchorsOf(text: string): string[] {
  const headings = text.replaceAll(/^```.*?^```/gms, '').matchAll(/^#{1,6} +(.+)$/gm);
  const slugs = [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\]\([^)]*\)/g, '')
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
  return slugs.map((slug, position) => {
    const before = slugs.slice(0, position).filter(other => other === slug).length;
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** Links to missing files, and to headings that their file does not have. */
function brokenLinks(document: string, text: string): string[] {
  const links = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter(link => !/^(https?|mailto):/.test(link) && !isThere(document, text, link));
}

function isThere(document: string, text: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = join(root, dirname(document), path);
  if (path !== '' && !existsSync(target)) return false;
  if (anchor === undefined) return true;
  return anchorsOf(path === '' ? text : readFileSync(target, 'utf8')).includes(anchor);
}

/** Whether the index page, whose folder is docs/, links to a page. */
const leadsTo = (entrance: string, page: string) => entrance.includes(`](${page.replace('docs/', '')}`);

/** Sources and configuration of a workspace, without build output and installed packages. */
function filesOf(workspace: string): string[] {
  const left = /(^|\/)(node_modules|dist[\w-]*|\.next|artefacts|coverage)\//;
  return readdirSync(join(root, workspace), { recursive: true, encoding: 'utf8' })
    .map(name => `${workspace}/${name}`)
    .filter(name => /\.(ts|tsx|mjs|sql|ya?ml|json)$|\/Dockerfile$/.test(name) && !left.test(name))
    .filter(name => name !== 'engine/test/documents.test.ts');
}

const pagesNamedIn = (text: string) =>
  [...text.matchAll(/docs\/(?:[\w/-]+\.md|decisions\/\d{4})/g)].map(([page]) => page);

/** Paths that contain a folder, as code spells them. */
const pathsNamedIn = (text: string) =>
  [...text.matchAll(/(?<=[`\s])(?!docs\/)(?:[\w-]+\/)+(?:[\w.-]+\.(?:ts|sql|tsx))?(?=[`\s,.;:])/g)].map(
    ([path]) => path,
  );

/** Whether a path exists, relative to the root or to the engine's sources. */
const isInTheHouse = (path: string) =>
  existsSync(join(root, path)) || existsSync(join(root, 'engine/src', path));

const sectionOf = (text: string, heading: string) =>
  text.split(/^## /m).find(section => section.startsWith(`${heading}\n`)) ?? '';

/** A decision may be cited by its number alone. */
const isNamed = (page: string) => documents.some(name => name === page || name.startsWith(`${page}-`));

describe('the documents', () => {
  it('link only to files and headings that exist', () => {
    expect(documents.length).toBeGreaterThan(20);
    for (const document of documents) {
      expect(brokenLinks(document, readDocument(document)), document).toEqual([]);
    }
  });

  it('fail this check with a broken link', () => {
    const text =
      '# A `few` words\n[1](README.md) [2](#a-few-words) [3](gone.md) [4](README.md#gone) [5](#gone)';
    expect(brokenLinks('README.md', text)).toEqual(['gone.md', 'README.md#gone', '#gone']);
  });

  it('can all be reached from the index page', () => {
    const pages = documents.filter(name => /^docs\/[^/]+\.md$/.test(name) && name !== 'docs/README.md');
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.filter(page => !leadsTo(readDocument('docs/README.md'), page))).toEqual([]);
    expect(leadsTo('[settings](settings.md#pages)', 'docs/settings.md')).toBe(true);
    expect(leadsTo('settings.md', 'docs/settings.md')).toBe(false);
  });

  it('exist under the names that code, alerts and dashboards use for them', () => {
    const files = ['engine', 'client', 'web', 'loadgen', 'deploy'].flatMap(filesOf);
    const named = files.flatMap(file => pagesNamedIn(readDocument(file)).map(page => ({ file, page })));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ page }) => !isNamed(page))).toEqual([]);
    expect(pagesNamedIn('see docs/gone.md, docs/decisions/0001.')).toEqual([
      'docs/gone.md',
      'docs/decisions/0001',
    ]);
    expect(['docs/gone.md', 'docs/decisions/0001', 'docs/decisions/9999'].filter(isNamed)).toEqual([
      'docs/decisions/0001',
    ]);
  });

  it('name no setting that does not exist', () => {
    const known = describeConfig(readConfig({}))
      .split('\n')
      .map(line => line.split('=', 1)[0] ?? '');
    const strangers = (text: string) =>
      [...text.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)(?:=[^`]*)?`/g)]
        .map(([, name = '']) => name)
        .filter(name => !known.includes(name.replace(/_FILE$/, '')) && !(name in otherNames));
    for (const document of livingDocuments) {
      expect(strangers(readDocument(document)), document).toEqual([]);
    }
    expect(strangers('`DB_POOL_MAX` `API_KEY_FILE` `DB_POOL_MIX=25` `RATE_LIMIT`')).toEqual([
      'DB_POOL_MIX',
      'RATE_LIMIT',
    ]);
  });

  it('on the architecture name only existing files and folders, and every folder of the engine', () => {
    const page = readDocument('ARCHITECTURE.md');
    expect(pathsNamedIn(page).length).toBeGreaterThan(60);
    expect(pathsNamedIn(page).filter(path => !isInTheHouse(path))).toEqual([]);
    const http = readdirSync(join(root, 'engine/src/http')).map(room => `http/${room}`);
    const rooms = [...readdirSync(join(root, 'engine/src')).filter(room => room !== 'http'), ...http];
    expect(rooms.filter(room => !page.includes(`\`${room}/`))).toEqual([]);
    const planted = 'engine/src/\n  http/gone.ts  `ledger/decide.sql` `app/gone/` `web/test/policy.test.ts`';
    expect(pathsNamedIn(planted).filter(path => !isInTheHouse(path))).toEqual(['http/gone.ts', 'app/gone/']);
  });

  it('on the architecture name exactly the tables of a database', async () => {
    const { pool } = await createTestDatabase();
    const { rows } = await pool.query<{ name: string }>(
      `select c.relname as name from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname not in ('schema_migrations', 'schema_routines', 'commit_probe')`,
    );
    const data = sectionOf(readDocument('ARCHITECTURE.md'), 'Data');
    const named = [...data.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    );
    expect(named.sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  it('on promises say where each promise is kept and which test proves it', () => {
    const pages = documents.filter(name => name.startsWith('docs/promises/'));
    expect(pages).toHaveLength(5);
    for (const page of pages) expect(unproven(readDocument(page)), page).toEqual([]);
    const planted =
      '| promise | where it is kept | what proves it |\n|---|---|---|\n| kept | `PORT` | [a.test.ts](a.test.ts) |\n| not kept | `PORT` | word |\n';
    expect(unproven(planted)).toEqual(['not kept']);
  });
});

/** Rows of tables whose last column links to no test or measurement, or whose middle is empty. */
function unproven(text: string): string[] {
  const rows = text.match(/^\|.*\|$/gm) ?? [];
  return rows
    .map(row => row.split('|').map(cell => cell.trim()))
    .map(cells => cells.slice(1, -1))
    .filter(([, second = '']) => !/^-+$/.test(second) && !/^(where it is|what proves)/.test(second))
    .filter(
      cells => cells.includes('') || !/\]\(\S+(\.test\.ts|measurements\/\S+)\)/.test(cells.at(-1) ?? ''),
    )
    .map(([promise = '']) => promise);
}
