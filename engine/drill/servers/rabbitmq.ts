import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasEnded } from './end-process.js';
import { findFreePort } from './free-port.js';
import { findProgram } from './programs.js';

const run = promisify(execFile);

/** A private RabbitMQ that can be stopped, started and starved. */
export type RabbitmqServer = {
  url: string;
  start(): Promise<void>;
  /** Kills it at once, as a crash would. Confirmed messages are still there after the next start. */
  kill(): Promise<void>;
  /** Runs rabbitmqctl against it. */
  control(...args: string[]): Promise<string>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
};

// The distributions' wrappers would switch to their own user and files. The real programs are behind them.
const behindWrappers = ['/usr/lib/rabbitmq/bin'];
const startTimeoutMs = 90_000;

/**
 * A private node on free ports in a temporary directory. A node that is already running is never used, because the
 * drill kills its node.
 *
 * @throws if RabbitMQ is not installed.
 */
export async function startRabbitmq(): Promise<RabbitmqServer> {
  const node = await createNode();
  await node.start().catch(async error => {
    await node.remove();
    throw error;
  });
  return node;
}

async function createNode(): Promise<RabbitmqServer> {
  const programs = {
    server: findProgram('rabbitmq-server', behindWrappers),
    control: findProgram('rabbitmqctl', behindWrappers),
  };
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-rabbitmq-'));
  const [port, distPort, epmdPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const node = `doorbuster-${randomUUID().slice(0, 8)}@localhost`;
  const env = { ...process.env, ...(await prepare(directory, { node, port, distPort, epmdPort })) };
  // In the foreground and bound to this process. Erlang would start an epmd that outlives the run.
  const epmd = spawnBound(['epmd', '-port', String(epmdPort), '-address', '127.0.0.1'], env);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    server = spawnBound([programs.server], env);
    await untilStarted(server);
  }

  async function kill(): Promise<void> {
    if (server) await killBound(server);
  }

  async function remove(): Promise<void> {
    await kill();
    await killBound(epmd);
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    start,
    kill,
    remove,
    async control(...args: string[]) {
      return (await run(programs.control, ['--node', node, ...args], { env })).stdout;
    },
  };
}

/** Starts a program that ends, with all its children, when told to or when this process ends. */
function spawnBound(command: string[], env: NodeJS.ProcessEnv): ChildProcess {
  const script = '{ "$@"; kill -9 0; } & cat > /dev/null; kill -9 0';
  return spawn('sh', ['-c', script, 'sh', ...command], { env, stdio: 'pipe', detached: true });
}

async function killBound(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.stdin?.end();
  await exited;
}

type Ports = { node: string; port: number; distPort: number; epmdPort: number };

/** Writes its configuration. @returns the environment that isolates it from every other RabbitMQ on this machine. */
async function prepare(
  directory: string,
  { node, port, distPort, epmdPort }: Ports,
): Promise<Record<string, string>> {
  const at = (name: string) => join(directory, name);
  await mkdir(at('log'));
  await writeFile(at('enabled_plugins'), '[].');
  await writeFile(at('rabbitmq.conf'), 'disk_free_limit.absolute = 50MB\n');
  await writeFile(at('rabbitmq-env.conf'), '');
  return {
    HOME: directory,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_FLAGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+sbwt none +sbwtdcpu none +sbwtdio none',
    RABBITMQ_NODENAME: node,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: at('data'),
    RABBITMQ_LOG_BASE: at('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: at('pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: at('rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: at('advanced.config'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
  };
}

async function untilStarted(server: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`RabbitMQ did not start in time:\n${output}`)),
      startTimeoutMs,
    );
    const onText = (text: Buffer) => {
      output = `${output}${text}`.slice(-10_000);
      if (output.includes('Server startup complete')) resolve();
    };
    server.stdout?.on('data', onText);
    server.stderr?.on('data', onText);
    server.on('error', reject);
    server.on('exit', code => reject(new Error(`RabbitMQ ended with ${code}:\n${output}`)));
    server.on('exit', () => clearTimeout(timer));
  });
}
