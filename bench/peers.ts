/** What the benchmarks compare with, in a folder with a lock of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const PEERS = new URL('./peers/', import.meta.url).pathname;

/** @throws Error when npm cannot. */
export function installPeers(): void {
  if (existsSync(join(PEERS, 'node_modules'))) return;
  const { status } = spawnSync('npm', ['ci', '--prefix', PEERS], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ci --prefix ${PEERS} failed`);
}
