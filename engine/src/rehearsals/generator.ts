import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageSchema, type Progress, type Report } from './report.js';

/** The terms of a rehearsal. */
export type Terms = {
  /** Units on sale; one per shopper. */
  allocation: number;
  /** How many different shoppers buy in turn, again and again. */
  shoppers: number;
  ratePerSecond: number;
  seconds: number;
};

export type GeneratorOptions = Terms & {
  program: string;
  /** Where the engine listens. */
  url: string;
  productId: number;
  /** To buy on behalf of shoppers, and to read the orders afterwards. */
  apiKey: string;
  operatorToken: string;
};

/** How a run ended: with a report, or with the reason why there is none. */
export type Ending = { report: Report } | { failure: string };

export type Generator = {
  /** The last progress that it reported; undefined before the first. */
  progress(): Progress | undefined;
  /** Stops sending requests; those that were sent are still judged. */
  stop(): void;
  kill(): void;
  ended: Promise<Ending>;
};

const besideTheEngine = fileURLToPath(new URL('../../../loadgen/dist/main.js', import.meta.url));

/** The program of the load generator; undefined if it is not installed. */
export function findGenerator(path: string = besideTheEngine): string | undefined {
  return existsSync(path) ? path : undefined;
}

// More connections would only wait: at 10,000 requests a second each of these has 30 ms for one request.
const connections = 300;
// As in the shop: a shopper who has waited ten seconds has left.
const requestTimeoutS = 10;
const complaintCharactersMax = 1000;

/**
 * Runs the load generator in a separate process: it judges the engine, so it shares no code with it. Its secrets are
 * in its environment, which only its own user can read, and not on its command line.
 */
export function startGenerator(options: GeneratorOptions): Generator {
  const { PATH = '' } = process.env;
  const child = fork(options.program, argumentsOf(options), {
    env: { PATH, API_KEY: options.apiKey, OPERATOR_TOKEN: options.operatorToken },
    execArgv: [],
    // Through this channel it reports its progress, and notices when this process ends for whatever reason.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let progress: Progress | undefined;
  let report: Report | undefined;
  let complaint = '';
  let isStopped = false;
  child.on('message', message => {
    const { data } = messageSchema.safeParse(message);
    if (data?.kind === 'progress') {
      const { kind: _, ...figures } = data;
      progress = figures;
    }
    if (data?.kind === 'report') report = data.report;
  });
  child.stderr?.on('data', (text: Buffer) => {
    complaint = (complaint + text).slice(0, complaintCharactersMax);
  });
  const endingOf = (how: string): Ending =>
    report ? { report } : { failure: `The load generator ended ${how}. ${complaint}`.trim() };
  return {
    progress: () => progress,
    stop() {
      // A second signal would end it without a verdict.
      if (!isStopped) child.kill('SIGTERM');
      isStopped = true;
    },
    kill: () => void child.kill('SIGKILL'),
    ended: exitOf(child).then(endingOf),
  };
}

function argumentsOf(options: GeneratorOptions): string[] {
  const numbers = {
    'product-id': options.productId,
    visitors: options.shoppers,
    units: options.allocation,
    rate: options.ratePerSecond,
    duration: options.seconds,
    connections,
    timeout: requestTimeoutS,
    'reconnect-for': requestTimeoutS,
  };
  return [
    ...['--scenario', 'rehearsal', '--url', options.url, '--quiet'],
    ...Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`before it started: ${error.message}`));
    // Once its channel and its output have been read to the end.
    child.once('close', (code, signal) => resolve(signal ? `by ${signal}` : `with ${code}`));
  });
}
