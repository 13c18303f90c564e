import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { until } from '../until.js';
import { findFreePort } from './free-port.js';
import type { RabbitmqServer } from './rabbitmq.js';

const image = 'rabbitmq:3.13-alpine';
const startTimeoutMs = 120_000;

/** A container of its own, published on a free port; its data outlive a kill and go away with it. */
export async function createContainerNode(): Promise<RabbitmqServer> {
  const name = `doorbuster-rabbitmq-${randomUUID()}`;
  const port = await findFreePort();
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  // The name of the node is that of its data.
  const identity = ['--name', name, '--hostname', 'doorbuster-rabbitmq'];
  await docker('create', ...identity, '--publish', `127.0.0.1:${port}:5672`, image);
  return {
    url,
    async start() {
      await docker('start', name);
      await until('RabbitMQ answers', () => isAnswering(url), startTimeoutMs);
    },
    async kill() {
      await docker('kill', name);
    },
    control: (...args) => docker('exec', name, 'rabbitmqctl', ...args),
    async remove() {
      await docker('rm', '--force', '--volumes', name);
    },
  };
}

async function docker(...args: string[]): Promise<string> {
  return (await promisify(execFile)('docker', args)).stdout;
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const connection = await connect(url, { timeout: 5000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
