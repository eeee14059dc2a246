/** What the tests need of the system, where apt-get may bring it. */
import { execFileSync } from 'node:child_process';

/** Says on standard error that it does so. @param what it is for. @throws Error when it does not work. */
export function installByApt(packages: readonly string[], what: string): void {
  console.error(`cryolift: installing ${packages.join(', ')} for ${what} (apt-get) ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const command of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...command], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }
}
