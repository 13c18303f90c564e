import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('../../../scripts/install-debian-package.sh', import.meta.url));

/** Installs a package, where this is root on Debian or a system like it; elsewhere it does nothing. */
export async function installFromDebian(packageName: string): Promise<void> {
  await promisify(execFile)('sh', [script, packageName], { maxBuffer: 2 ** 26 });
}
