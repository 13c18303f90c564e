import { createLeader } from '../../src/platform/leader.js';

// A candidate for one lock. It prints when its work starts and stops. On each line of input it prints the first and
// last moment at which it believed it was the leader, in milliseconds of the machine's monotonic clock, which all
// processes share.
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
  // Taken before the question, so that a process stopped in between claims no later moment.
  const atMs = machineMs();
  if (leader.isLeader()) belief = { from: belief?.from ?? atMs, to: atMs };
}, 1);

for await (const _ of process.stdin) console.log(JSON.stringify(belief ?? null));
await leader.close();
process.exit();
