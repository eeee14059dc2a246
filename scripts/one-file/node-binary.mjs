/** Node for any system, from npm: the version and the digest that package-lock.json says. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = join(ROOT, 'node_modules/.cache/cryolift-dist');
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** What package-lock.json says of it: `version` and `integrity` (`sha512-BASE64`). */
export function lockedNode(platform) {
  return packages[`node_modules/${platform.package}`];
}

/**
 * The package that npm installed for this system; any other is downloaded and unpacked, unless it is in the cache.
 *
 * @returns the folder of the package, with `bin/` in it, and on Linux `LICENSE`.
 * @throws when the digest is not that of package-lock.json.
 */
export function fetchNode(platform) {
  const installed = join(ROOT, 'node_modules', platform.package);
  if (existsSync(join(installed, 'bin', platform.node))) return installed;
  const { version, integrity } = lockedNode(platform);
  const folder = join(CACHE, `${platform.package}-${version}`);
  if (existsSync(folder)) return join(folder, 'package');
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    const npm = ['pack', `${platform.package}@${version}`, '--pack-destination', draft, '--silent'];
    const archive = join(
      draft,
      execFileSync('npm', npm, { encoding: 'utf8', shell: process.platform === 'win32' }).trim(),
    );
    const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (digest !== integrity)
      throw new Error(`${archive} has the digest ${digest}, package-lock.json says ${integrity}`);
    execFileSync('tar', ['-xzf', archive, '-C', draft, '--exclude=package/include', '--exclude=package/share']);
    rmSync(archive);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  return join(folder, 'package');
}
