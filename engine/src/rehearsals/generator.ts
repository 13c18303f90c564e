import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageSchema, type Progress, type Report } from './report.js';

/** What is rehearsed. */
export type Terms = {
  /** Units on sale; one to a shopper. */
  allocation: number;
  /** So many different shoppers ask in turn, again and again. */
  shoppers: number;
  ratePerSecond: number;
  seconds: number;
};

export type GeneratorOptions = Terms & {
  program: string;
  /** Where the engine listens. */
  url: string;
  productId: number;
  /** To buy in the name of shoppers, and to read the orders afterwards. */
  apiKey: string;
  operatorToken: string;
};

/** How a run ended: with a report, or why there is none. */
export type Ending = { report: Report } | { failure: string };

export type Generator = {
  /** The last it has told; undefined before it begins. */
  progress(): Progress | undefined;
  /** Sends nothing more; what was sent is still judged. */
  stop(): void;
  kill(): void;
  ended: Promise<Ending>;
};

const besideTheEngine = fileURLToPath(new URL('../../../loadgen/dist/main.js', import.meta.url));

/** The program of the load generator; undefined where it is not installed. */
export function findGenerator(path: string = besideTheEngine): string | undefined {
  return existsSync(path) ? path : undefined;
}

// More connections would only wait: at 10,000 requests a second each of these has 30 ms for one.
const connections = 300;
// As in the shop: who has waited ten seconds has gone.
const requestTimeoutS = 10;
const complaintCharactersMax = 1000;

/**
 * Runs the load generator as a process of its own: it judges the engine, so it shares no code with it. Its secrets are in
 * its environment, where its own user alone can read them, and nowhere on its command line.
 */
export function startGenerator(options: GeneratorOptions): Generator {
  const { PATH = '' } = process.env;
  const child = fork(options.program, argumentsOf(options), {
    env: { PATH, API_KEY: options.apiKey, OPERATOR_TOKEN: options.operatorToken },
    execArgv: [],
    // By the channel it tells how it goes, and notices when this process is gone, however it went.
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
      // A second signal would have it end without a verdict.
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
    ...{ connections, timeout: requestTimeoutS, 'reconnect-for': requestTimeoutS },
  };
  return [
    ...['--scenario', 'rehearsal', '--url', options.url, '--quiet'],
    ...Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`before it began: ${error.message}`));
    // When its channel and its output are read to their end as well.
    child.once('close', (code, signal) => resolve(signal ? `by ${signal}` : `with ${code}`));
  });
}
