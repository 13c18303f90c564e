import { createLeader } from '../../src/platform/leader.js';

// A candidate for one lock. Prints when its work starts and stops, and, asked with a line, the first and last moment at
// which it believed to lead, in milliseconds of the machine's monotonic clock, which all processes share.
const [databaseUrl = '', name = ''] = process.argv.slice(2);
const machineMs = () => Number(process.hrtime.bigint()) / 1e6;
let belief: { from: number; to: number } | undefined;

const leader = createLeader({
  connection: { connectionString: databaseUrl },
  lock: name === 'attemptPartitions' ? name : 'scheduler',
  async lead(signal) {
    console.log('leads');
    await new Promise(resolve => signal.addEventListener('abort', resolve));
    console.log('stops');
  },
  onError: () => {},
});
setInterval(() => {
  // Taken before the question, so that a process which is stopped in between claims no moment after it.
  const atMs = machineMs();
  if (leader.isLeader()) belief = { from: belief?.from ?? atMs, to: atMs };
}, 1);

for await (const _ of process.stdin) console.log(JSON.stringify(belief ?? null));
await leader.close();
process.exit();
