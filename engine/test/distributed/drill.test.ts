import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../drill/cluster.js';
import { runDrill } from '../../drill/drill.js';
import { type Fault, faults } from '../../drill/faults.js';
import type { ScenarioName } from '../../drill/load.js';
import { openProbe, type Probe } from '../../drill/probe.js';

let cluster: Cluster;
let probe: Probe;
// As in config.ts: the machine is busy with other tests, and a process that sheds for that reason refuses what a
// race expects.
const patient = { SHED_LAG_MS: '0', SHED_WAIT_MS: '0' };
beforeAll(async () => {
  for (const [name, value] of Object.entries(patient)) vi.stubEnv(name, value);
  cluster = await startCluster(() => {});
  vi.unstubAllEnvs();
  probe = await openProbe(cluster);
}, 300_000);
afterAll(() => cluster?.stop());

const drill = (scenario: ScenarioName, fault: Fault, auditWithinS = 10) =>
  runDrill(cluster, probe, { scenario, fault, isQuick: true, auditWithinS, strikeAt: 0.2 }, () => {});
const unharmed = { lost: 0, duplicated: 0, oversold: 0, stuck: 0, breaches: [] };

// The faults with outages of ten seconds are for `npm run drill`.
describe('two API processes and two workers, on Redis and RabbitMQ, keep every promise', () => {
  it.each<[ScenarioName, string[]]>([
    ['race', ['none']],
    ['sellout', ['redis-flushall']],
    ['sellout', ['kill-api']],
    ['mixed', ['rabbitmq-drop-connections', 'kill-worker']],
  ])(
    'in %s with %s',
    async (scenario, names) => {
      expect(await drill(scenario, together(names))).toMatchObject(unharmed);
    },
    90_000,
  );
});

it('the drill reports the damage of a broken engine: lost orders, units sold twice', async () => {
  const planted: Fault = {
    name: 'planted',
    summary: '',
    isFelt: false,
    strike: ({ pool }) =>
      pool.query(`
        alter table stock drop constraint stock_is_conserved;
        update stock set available = available + 50 where sale_id = (select max(sale_id) from sales);
        delete from orders where order_id in (
          select order_id from orders where sale_id = (select max(sale_id) from sales) limit 3)`),
  };

  const { lost, oversold, breaches } = await drill('sellout', planted, 1);

  expect({ lost, oversold }).toEqual({ lost: 3, oversold: 50 });
  for (const breach of [
    'load: no acknowledged order lost',
    'load: not oversold',
    'audit: Every acknowledged order exists: 3',
    'audit: Conservation',
    'audit: the exit code was not 0',
  ]) {
    expect(breaches).toContainEqual(expect.stringContaining(breach));
  }
}, 90_000);

/** Several faults at once. */
function together(names: readonly string[]): Fault {
  const chosen = faults.filter(({ name }) => names.includes(name));
  expect(chosen).toHaveLength(names.length);
  return {
    name: names.join(' and '),
    summary: '',
    isFelt: chosen.some(({ isFelt }) => isFelt),
    strike: (all, scene) => Promise.all(chosen.map(fault => fault.strike(all, scene))),
    isHealed: all => chosen.every(({ isHealed }) => isHealed === undefined || isHealed(all)),
  };
}
