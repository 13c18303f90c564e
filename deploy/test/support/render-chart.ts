import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

const run = promisify(execFile);
const chart = fileURLToPath(new URL('../../helm/doorbuster', import.meta.url));
const renderer = fileURLToPath(new URL('render.go', import.meta.url));
const installer = fileURLToPath(new URL('../../../scripts/install-debian-package.sh', import.meta.url));

const chartSchema = z.looseObject({ name: z.string(), version: z.string(), appVersion: z.string() });
const valuesSchema = z.record(z.string(), z.unknown());
export type Values = z.output<typeof valuesSchema>;

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).optional() }),
});
export type KubernetesObject = z.output<typeof objectSchema>;

export type Renderer = {
  /** The objects that the chart makes of these values. @throws if the schema or a template refuses them. */
  render(values: Values): Promise<KubernetesObject[]>;
  close(): Promise<void>;
};

/** What renders the chart: Go's templates and sprig, built from a small program; brought from Debian where they are missing. */
export async function createRenderer(): Promise<Renderer> {
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-chart-'));
  const program = join(directory, 'render');
  await build(program);
  return {
    async render(values) {
      const merged = withDefaults(await readValues(), values);
      await checkValues(merged);
      const { name, version, appVersion } = chartSchema.parse(
        parse(await readFile(join(chart, 'Chart.yaml'), 'utf8')),
      );
      const seen = {
        Chart: { Name: name, Version: version, AppVersion: appVersion },
        Release: { Name: 'sale', Namespace: 'shop', Service: 'Helm' },
        Values: merged,
      };
      const text = await renderTemplates(program, JSON.stringify(seen));
      return parseAllDocuments(text)
        .map(document => {
          for (const error of document.errors) throw error;
          const value: unknown = document.toJS();
          return value;
        })
        .filter(value => value !== null)
        .map(value => objectSchema.parse(value));
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

async function build(program: string): Promise<void> {
  // Debian keeps libraries as sources there.
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode' };
  const compile = () => run('go', ['build', '-o', program, renderer], { env, timeout: 240_000 });
  try {
    await compile();
  } catch {
    for (const name of ['golang-go', 'golang-github-masterminds-sprig-dev']) {
      await run('sh', [installer, name], { maxBuffer: 2 ** 26 });
    }
    await compile().catch(cause => {
      const remedy = 'apt-get install golang-go golang-github-masterminds-sprig-dev';
      throw new Error(`The chart can not be rendered without Go and its library sprig: ${remedy}`, { cause });
    });
  }
}

/** Standard output of the program; what it says of an error is thrown. */
async function renderTemplates(program: string, seen: string): Promise<string> {
  const names = (await readdir(join(chart, 'templates'))).filter(name => /\.(ya?ml|tpl)$/.test(name)).sort();
  const child = spawn(
    program,
    names.map(name => join(chart, 'templates', name)),
    { timeout: 30_000 },
  );
  let text = '';
  let problem = '';
  child.stdout.on('data', data => {
    text += data;
  });
  child.stderr.on('data', data => {
    problem += data;
  });
  child.stdin.end(seen);
  const code = await new Promise(resolve => child.once('close', resolve));
  if (code !== 0) throw new Error(problem);
  return text;
}

async function readValues(): Promise<Values> {
  return valuesSchema.parse(parse(await readFile(join(chart, 'values.yaml'), 'utf8')));
}

async function checkValues(values: Values): Promise<void> {
  const schema: unknown = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8'));
  const validate = new Ajv2020({ allErrors: true, strict: false }).compile(valuesSchema.parse(schema));
  if (validate(values)) return;
  const problems = validate.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`);
  throw new Error(`values: ${problems?.join('; ')}`);
}

/** As Helm does it: objects are merged, anything else is replaced. */
function withDefaults(defaults: Values, values: Values): Values {
  const merged: Values = { ...defaults };
  for (const [name, value] of Object.entries(values)) {
    const [below, above] = [valuesSchema.safeParse(defaults[name]), valuesSchema.safeParse(value)];
    merged[name] = below.success && above.success ? withDefaults(below.data, above.data) : value;
  }
  return merged;
}
