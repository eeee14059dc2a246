/** A disk whose flushes fail, for tests: a file system on an image that is larger than its disk. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const NEEDED = ['/dev/loop-control', '/usr/sbin/mkfs.ext4'];

/** True when this process can create one. */
export const withLoopDevice = {
  skip: !(process.getuid?.() === 0 && NEEDED.every((path) => existsSync(path))) && `needs root, ${NEEDED.join(', ')}`,
};

/**
 * Takes writes into the page cache, about 60 MiB, and fails to flush more than a few MiB of them.
 *
 * @returns a folder on it. It is unmounted when the test ends, so close what is open there before, by a later
 *   `t.after`: the hooks run in their order, and the unmounting is lazy.
 */
export async function mountUnflushable(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'cryolift-unflushable-'));
  const [small, disk] = [join(root, 'small'), join(root, 'disk')];
  for (const folder of [small, disk]) await mkdir(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'cryolift-test', small]);
  t.after(async () => {
    execFileSync('umount', ['-l', disk]);
    execFileSync('umount', ['-l', small]);
    await rm(root, { recursive: true, force: true });
  });
  await writeFile(join(small, 'image'), '');
  await truncate(join(small, 'image'), 100 * 1024 * 1024);
  execFileSync('mkfs.ext4', ['-q', '-O', '^has_journal', '-E', 'nodiscard', join(small, 'image')]);
  execFileSync('mount', ['-o', 'loop', join(small, 'image'), disk]);
  return disk;
}
