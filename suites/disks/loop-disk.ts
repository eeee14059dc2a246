/** A small disk of a test's own: an ext4 file system in a file, mounted by loop. It can be filled, set read-only, and lose power. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1024 * 1024;
/** EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH: what was not flushed is lost, as with the power. */
const SHUT_DOWN = 'open(my $f, "<", $ARGV[0]) or die $!; my $n = pack("L", 2); ioctl($f, 0x8004587d, $n) or die $!;';

export interface LoopDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** Unmounts after a shutdown, or in order, and mounts again. */
  remount(options?: string): void;
  /** Everything that was not flushed is lost; all that is asked of it until it is mounted again fails. */
  losePower(): void;
  /** Leaves no byte free. @returns what makes room again. */
  fill(): Promise<() => void>;
  remove(): void;
}

/** @returns why there can be none, or null: then `makeLoopDisk` works. */
export function whyNoLoopDisk(): string | null {
  if (process.getuid?.() !== 0) return 'needs root, to mount a disk of its own';
  let disk: LoopDisk | null = null;
  try {
    disk = makeLoopDisk(8);
    return null;
  } catch (error) {
    return `needs ext4 by loop mount: ${error}`;
  } finally {
    disk?.remove();
  }
}

export function makeLoopDisk(sizeMib: number): LoopDisk {
  const place = mkdtempSync(join(tmpdir(), 'cryolift-disk-'));
  const [image, folder] = [join(place, 'image'), join(place, 'mounted')];
  writeFileSync(image, '');
  truncateSync(image, sizeMib * MIB);
  mkdirSync(folder);
  let isMounted = false;
  // The longest commit interval: nothing gets to the disk by itself while a test runs. No blocks are kept for root.
  const mount = (options: string) => {
    run('mount', '-o', `loop,commit=300,${options}`, image, folder);
    isMounted = true;
  };
  const unmount = () => {
    run('umount', folder);
    isMounted = false;
  };
  const remove = () => {
    process.off('exit', remove);
    if (isMounted) spawnSync('umount', ['-l', folder]);
    rmSync(place, { recursive: true, force: true });
  };
  // For tests that fail before they remove it.
  process.once('exit', remove);
  try {
    run('mkfs.ext4', '-q', '-F', '-m', '0', image);
    mount('rw');
  } catch (error) {
    remove();
    throw error;
  }
  chmodSync(folder, 0o700);
  return {
    folder,
    remount(options = 'rw') {
      unmount();
      mount(options);
    },
    losePower: () => run('perl', '-e', SHUT_DOWN, folder),
    async fill() {
      const path = join(folder, 'filler');
      const file = await open(path, 'w');
      for (let length = MIB; length >= 1; ) {
        await file.write(Buffer.alloc(length)).catch(() => {
          length /= 2;
        });
      }
      // Blocks are given out when they are flushed.
      await file.sync();
      await file.close();
      return () => rmSync(path);
    },
    remove,
  };
}

function run(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
}
