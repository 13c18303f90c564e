import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { parseOptions } from '../../../loadgen/src/cli.js';
import { optionsForParsing, readChoice } from '../../drill/options.js';
import { program } from '../../src/cli/program.js';
import { messageOf } from '../../src/platform/errors.js';
import { type Judge, readCurl } from './api-calls.js';
import { root } from './documents.js';

const { scripts } = z
  .looseObject({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const projects = ['client', 'engine', 'loadgen', 'web', 'deploy'];

/** Third-party programs, whose arguments this test cannot check. */
const foreignPrograms = [
  ...['cat', 'cp', 'export', 'tee', 'timedatectl'],
  ...['docker', 'helm', 'kubectl', 'k6', 'promtool'],
  ...['createdb', 'pg_basebackup', 'pg_dump', 'pg_restore', 'pg_verifybackup', 'psql'],
];

type Check = (args: string[], judge: Judge) => string | undefined | Promise<string | undefined>;

const checks: Record<string, Check> = {
  npm: checkNpm,
  npx: checkNpx,
  doorbuster: checkDoorbuster,
  node: args => checkFile(args.filter(arg => !arg.startsWith('--'))[0] ?? '', args[0] === '-p'),
  sh: ([file = '']) => checkFile(file),
  sudo: (args, judge) => findProblem(args, judge),
  curl: checkCurl,
};

/** What is wrong with a command of a document; undefined if it can be run as written. */
export async function findProblem(words: readonly string[], judge: Judge): Promise<string | undefined> {
  const [name = '', ...args] = words;
  if (foreignPrograms.includes(name)) return undefined;
  const check = checks[name];
  if (!check) return `${name} is a program that this test does not know`;
  try {
    return await check(args, judge);
  } catch (error) {
    return `${words.join(' ')}: ${messageOf(error)}`;
  }
}

function checkNpm([verb = '', ...rest]: string[]): string | undefined {
  if (verb === 'ci') return undefined;
  const [name = '', ...given] = verb === 'run' ? rest.filter(word => word !== '--silent') : [verb, ...rest];
  if (!(name in scripts) || (verb !== 'run' && !['start', 'test'].includes(verb))) {
    return `package.json has no script ${name}`;
  }
  const args = given[0] === '--' ? given.slice(1) : given;
  return args.length === 0 ? undefined : checkScript(name, args);
}

function checkScript(name: string, args: string[]): string | undefined {
  if (name === 'load') {
    const env = { API_KEY: 'a-key-of-the-test', OPERATOR_TOKEN: 'a-token-of-the-test' };
    parseOptions(args, { env, directory: root, writeOut() {} });
    return undefined;
  }
  if (name === 'drill') {
    readChoice(parseArgs({ args, options: optionsForParsing }).values);
    return undefined;
  }
  if (name !== 'bench') return `npm run ${name} takes no words`;
  // Its module runs when it is loaded, so the test reads its help instead.
  const help = readFileSync(join(root, 'engine/bench/run.ts'), 'utf8');
  const stranger = args.find(arg => arg.startsWith('--') && !help.includes(`  ${arg} `));
  return stranger && `npm run bench has no ${stranger}`;
}

function checkNpx([name = '', ...args]: string[]): string | undefined {
  if (name === 'doorbuster') return checkDoorbuster(args);
  if (/^artillery@[\d.]+$/.test(name)) return undefined;
  const [verb, flag, project = '', ...files] = args;
  if (name !== 'vitest' || verb !== 'run' || flag !== '--project') return `npx ${name} is not known`;
  if (!projects.includes(project)) return `there is no project ${project}`;
  const missing = files.find(file => file !== '-u' && !existsSync(join(root, project, file)));
  return missing && `there is no ${project}/${missing}`;
}

/** Asks the program itself for its verbs, and what each of them accepts. */
function checkDoorbuster([verb = '', ...args]: string[]): string | undefined {
  const command = program.commands.find(one => one.name() === verb);
  if (!command) return `doorbuster has no verb ${verb}`;
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const option = command.options.find(({ long, short }) => word === long || word === short);
    if (!option) return `doorbuster ${verb} takes no ${word}`;
    if (option.required && rest.shift() === undefined) return `doorbuster ${verb} ${word} needs a value`;
  }
  return undefined;
}

/** A built file is looked up by its source. */
function checkFile(file: string, isText = false): string | undefined {
  const source = file
    .replace(/\/dist-(\w+)\/(.*)\.js$/, '/$1/$2.ts')
    .replace(/\/dist\/(.*)\.js$/, '/src/$1.ts');
  return isText || existsSync(join(root, source)) ? undefined : `there is no ${file}`;
}

function checkCurl(args: string[], judge: Judge): string | undefined | Promise<string | undefined> {
  const call = readCurl(args);
  // The metrics have their own port and no description.
  if (call.url.port === '9464') return call.path === '/metrics' ? undefined : `there is no ${call.path}`;
  return judge(call);
}
