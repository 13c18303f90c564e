import { installFromDebian } from './debian.js';
import { isDockerThere } from './docker.js';
import { createContainerNode } from './rabbitmq-container.js';
import { createProgramNode, findPrograms } from './rabbitmq-program.js';

/** A RabbitMQ of the caller's own, which may be stopped, started and starved. */
export type RabbitmqServer = {
  url: string;
  start(): Promise<void>;
  /** As a crash would: at once. What was confirmed is still there after the next start. */
  kill(): Promise<void>;
  /** Runs rabbitmqctl against it. */
  control(...args: string[]): Promise<string>;
  /** Ends it, and all that it has left behind. */
  remove(): Promise<void>;
};

/**
 * The program, else a container, else the program from Debian's packages; never none, and never one that was found running,
 * since it will be killed.
 *
 * @throws when there is no RabbitMQ and none can be had, with the command that would help.
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
  const found = findPrograms();
  if (found) return createProgramNode(found);
  if (isDockerThere()) return createContainerNode();
  await installFromDebian('rabbitmq-server');
  const installed = findPrograms();
  if (installed) return createProgramNode(installed);
  throw new Error(
    'a RabbitMQ that may be killed is needed: sudo RUNLEVEL=1 apt-get install -y rabbitmq-server, or start Docker',
  );
}
