import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseServerUser } from '../../dist/platform/embedded-postgres/server-user.js';
import { createPool } from '../../dist/platform/postgres.js';
import { until } from '../until.js';
import { findFreePort } from './free-port.js';
import { findHaPrograms } from './ha-programs.js';
import { launchHaproxy } from './haproxy.js';
import { createNode, type PatroniNode, superuserPassword } from './patroni-node.js';
import type { PostgresServer } from './postgres.js';
import { launch } from './server-process.js';

const startTimeoutMs = 120_000;
// Patroni keeps a leader's key for at least 20 s, and a promotion takes a moment.
const takeOverTimeoutMs = 90_000;

/**
 * A highly available PostgreSQL: two servers under Patroni, of which one leads and the other is its synchronous
 * standby, etcd for Patroni, and HAProxy in front, whose address stays the same. A crash kills the leading server
 * together with its Patroni, as the loss of a machine would, and the other takes over. A start brings the killed one
 * back.
 *
 * @throws if one of their programs is not installed.
 */
export async function startReplicatedPostgres(): Promise<PostgresServer> {
  const programs = findHaPrograms();
  const directory = await mkdtemp(join(tmpdir(), 'doorbuster-patroni-'));
  const closing: (() => Promise<unknown>)[] = [
    // Killed servers may still add files for a moment.
    () => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  ];
  const stop = async () => {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  };
  try {
    // When root runs this, the servers run as another user.
    const user = await chooseServerUser(directory);
    if (user) await chown(directory, user.uid, user.gid);
    const etcdUrl = await launchEtcd(programs.etcd);
    const nodes: PatroniNode[] = [];
    for (const name of ['one', 'two']) {
      const ports = { port: await findFreePort(), restPort: await findFreePort() };
      nodes.push(await createNode({ name, ...ports, directory, programs, user, etcdUrl }));
    }
    const proxyPort = await findFreePort();
    const proxy = await launchHaproxy(programs.haproxy, directory, proxyPort, nodes);
    closing.push(proxy.kill, ...nodes.map(node => node.kill));
    for (const node of nodes) node.start();
    await untilReplicated(nodes, startTimeoutMs);
    const url = await createDatabase(proxyPort);
    return { url, stop, ...createCrash(nodes) };
  } catch (error) {
    await stop();
    throw error;
  }

  async function launchEtcd(program: string): Promise<string> {
    const [client, peer] = [await findFreePort(), await findFreePort()].map(
      port => `http://127.0.0.1:${port}`,
    );
    const etcd = launch(program, [
      ...['--data-dir', join(directory, 'etcd'), '--listen-client-urls', `${client}`],
      ...['--advertise-client-urls', `${client}`, '--listen-peer-urls', `${peer}`],
      ...['--initial-advertise-peer-urls', `${peer}`, '--initial-cluster', `default=${peer}`],
    ]);
    closing.push(etcd.kill);
    return `${client}`;
  }
}

function createCrash(nodes: readonly PatroniNode[]): Pick<PostgresServer, 'crash' | 'start'> {
  let fallen: PatroniNode | undefined;
  return {
    async crash() {
      for (const node of nodes) if (await node.is('primary')) fallen = node;
      if (!fallen) throw new Error('no PostgreSQL leads');
      await fallen.kill();
    },
    async start() {
      fallen?.start();
      fallen = undefined;
      await untilReplicated(nodes, takeOverTimeoutMs);
    },
  };
}

async function untilReplicated(nodes: readonly PatroniNode[], timeoutMs: number): Promise<void> {
  const has = async (role: 'primary' | 'sync') =>
    (await Promise.all(nodes.map(node => node.is(role)))).includes(true);
  await until(
    'one PostgreSQL leads and the other is its synchronous standby',
    async () => (await has('primary')) && (await has('sync')),
    timeoutMs,
  );
}

/** @returns its address for the engine, whose role owns only the database. */
async function createDatabase(port: number): Promise<string> {
  const admin = createPool(`postgres://postgres:${superuserPassword}@127.0.0.1:${port}/postgres`, {
    DB_POOL_MAX: 1,
    DB_POOL_MIN: 0,
    DB_TIMEOUT: 5000,
    DB_SSL: 'disable',
  });
  try {
    await admin.query(`create role doorbuster login password 'doorbuster'`);
    await admin.query('create database doorbuster owner doorbuster');
  } finally {
    await admin.end();
  }
  return `postgres://doorbuster:doorbuster@127.0.0.1:${port}/doorbuster`;
}
