/**
 * A folder with Debian 13 and its Wine 10 in it, made once by mmdebstrap, where programs for Windows run: Debian 12 has
 * Wine 8, in which Node 26 does not start. Only root can make and enter it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringProgram, canInstall } from '../program.ts';

const ROOT = join(tmpdir(), 'cryolift-wine-10');
const PACKAGES = 'wine,wine64,ca-certificates';

/** @returns the folder, or why it cannot be had. */
export function bringWine(): { readonly root: string } | { readonly missing: string } {
  if (!canInstall() || process.arch !== 'x64')
    return { missing: 'Wine needs root on a Debian system with an x64 processor' };
  if (existsSync(ROOT)) return { root: ROOT };
  const missing = bringProgram(
    { name: 'mmdebstrap', packages: ['mmdebstrap'], versionArgs: ['--version'] },
    'the tests of the program for Windows',
  );
  if (missing !== null) return { missing };
  console.error('cryolift: making a folder with Wine for the tests of the program for Windows (a minute) ...');
  const draft = `${ROOT}.${process.pid}`;
  try {
    execFileSync('mmdebstrap', ['--variant=minbase', `--include=${PACKAGES}`, 'trixie', draft], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    mkdirSync(join(draft, 'root/work'));
    // Wine sets up its C: drive at the first start.
    spawnSync('unshare', insideWine(draft, {}, 'wineboot', '--init'), { stdio: 'ignore' });
    renameSync(draft, ROOT);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    return { missing: `Wine could not be brought: ${error instanceof Error ? error.message : error}` };
  }
  return { root: ROOT };
}

/**
 * The arguments of `unshare` for a command in the folder, with /proc, which Wine needs, and /dev with terminals. Both go
 * with the command.
 */
export function insideWine(root: string, settings: Readonly<Record<string, string>>, ...command: string[]): string[] {
  const all = { HOME: '/root', PATH: '/usr/bin:/bin', XDG_RUNTIME_DIR: '/tmp', WINEDEBUG: '-all', ...settings };
  const env = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  const mounts = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && mount -t devpts devpts "$0/dev/pts"';
  const enter = `${mounts} && exec chroot "$0" env -i "$@"`;
  return ['--mount', 'sh', '-c', enter, root, ...env, ...command];
}
