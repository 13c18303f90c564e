import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

// One after the other, since test files run side by side. Debian's packages ask policy-rc.d whether they may start a
// service; while this runs, they may not.
const script = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
apt-get update && apt-get install -y --no-install-recommends "$1"`;

/** Installs a package, where this is root on Debian or a system like it; elsewhere it does nothing. */
export async function installFromDebian(packageName: string): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const lock = join(tmpdir(), 'doorbuster-install.lock');
  await promisify(execFile)('flock', [lock, 'sh', '-c', script, 'sh', packageName], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    maxBuffer: 2 ** 26,
  });
}
