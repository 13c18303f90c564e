// Measures how long `npm start` takes from a fresh clone until the shop is usable. Each round clones the committed files
// into a temporary directory.
//   node scripts/measure-start.mjs [rounds]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rounds = Number(process.argv[2] ?? 3);
// Enough for an installation over a slow connection and a build on a busy machine.
const giveUpAfterMs = 10 * 60_000;

const usableS = [];
for (let round = 0; round < rounds; round++) {
  const { preparedS, shopS } = await measure();
  console.log(`installed and built after ${preparedS.toFixed(1)} s, shop usable ${shopS.toFixed(1)} s later`);
  usableS.push(shopS);
}
const median = usableS.sort((a, b) => a - b)[Math.floor(rounds / 2)];
console.log(`median of ${rounds}: usable ${median?.toFixed(1)} s after the build`);

async function measure() {
  const directory = mkdtempSync(join(tmpdir(), 'doorbuster-start-'));
  // When root runs this, the database server runs as another user, who must be able to enter this directory.
  spawnSync('chmod', ['711', directory]);
  spawnSync('git', ['clone', '--quiet', root, join(directory, 'shop')], { stdio: 'inherit' });
  const startedAtMs = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: join(directory, 'shop'),
    env: { ...process.env, PORT: '0', SANDBOX_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = once(child, 'exit');
  try {
    let preparedAtMs = startedAtMs;
    const url = await new Promise((resolve, reject) => {
      child.once('exit', code => reject(new Error(`npm start ended with ${code}`)));
      setTimeout(() => reject(new Error('npm start took too long')), giveUpAfterMs).unref();
      child.stdout.on('data', text => {
        if (/prepare: .* took/.test(String(text))) preparedAtMs = performance.now();
        const [, shop] = /shop +(http:\/\/[^/\s]+)\//.exec(String(text)) ?? [];
        if (shop) resolve(shop);
      });
    });
    await usable(url);
    return {
      preparedS: (preparedAtMs - startedAtMs) / 1000,
      shopS: (performance.now() - preparedAtMs) / 1000,
    };
  } finally {
    // Signals the whole group, because npm does not forward every signal.
    if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await exited;
    // npm ends before the engine has drained.
    while (child.pid && isAlive(child.pid)) await new Promise(resolve => setTimeout(resolve, 100));
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {number} group of processes */
function isAlive(group) {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/**
 * Usable means that a drop's page renders and a shopper can buy.
 *
 * @param {string} url
 */
async function usable(url) {
  for (;;) {
    const page = await fetch(`${url}/drops/1`, { headers: { accept: 'text/html' } });
    if (page.status === 200 && (await page.text()).includes('data-testid="stock"')) break;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  const session = await fetch(`${url}/api/session`, { method: 'POST' });
  const { token } = await session.json();
  const purchase = await fetch(`${url}/api/purchase`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ productId: 1 }),
  });
  if (purchase.status !== 200) throw new Error(`a purchase was answered ${purchase.status}`);
}
