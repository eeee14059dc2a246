/** Small file systems of their own: images on loop devices, or memory. They can lose power, and be filled to the last byte. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bringProgram } from '../program.ts';

export type Kind = 'ext4' | 'xfs' | 'tmpfs';

const MIB = 1024 * 1024;
/** XFS has 300 MiB or more. The images are sparse. */
const IMAGE_BYTES = 320 * MIB;
/** Init keeps 64 MiB free. */
const SMALL_BYTES = 160 * MIB;
/** For a soak: many files under way at the same time. */
const LARGE_BYTES = 3072 * MIB;

type Size = 'normal' | 'small' | 'large';
const PREFIX = 'cryolift-volume-';
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
/** Nothing gets to the disk by itself between an answer and the loss of power. */
const LONGEST_COMMIT_SECONDS = 300;
const UNMOUNT_TRIES = 50;
const XFS = { name: 'mkfs.xfs', packages: ['xfsprogs'], versionArgs: ['-V'] };

/** Volumes of this process, by their folders, for the end of it. */
const volumes = new Map<string, Volume>();
process.once('exit', () => {
  for (const volume of volumes.values()) volume.remove();
});

/** @returns why such volumes cannot be made here; null when they can. */
export function whyNot(kind: Kind): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return `${kind}: only root on Linux can mount it`;
  if (kind !== 'tmpfs') {
    // It has mkfs.xfs and xfs_io, which shuts file systems of both kinds down.
    const missing = bringProgram(XFS, 'tests of power losses');
    if (missing) return missing;
  }
  try {
    Volume.create(kind, 'small').remove();
    return null;
  } catch (error) {
    return `${kind} cannot be mounted here: ${(error as Error).message}`;
  }
}

/** Unmounts and removes what runs that were killed have left behind. */
export function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    spawnSync('umount', ['--lazy', join(folder, 'mount')], { env: { PATH } });
    rmSync(folder, { recursive: true, force: true });
  }
}

export class Volume {
  readonly kind: Kind;
  /** Where the file system is; it belongs to us alone. */
  readonly path: string;
  readonly #folder: string;
  readonly #image: string;
  readonly #sizeBytes: number;
  readonly #commitSeconds: number;

  private constructor(kind: Kind, size: Size, commitSeconds: number) {
    this.kind = kind;
    this.#commitSeconds = commitSeconds;
    this.#folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    this.path = join(this.#folder, 'mount');
    this.#image = join(this.#folder, 'image');
    const least = kind === 'xfs' ? IMAGE_BYTES : SMALL_BYTES;
    this.#sizeBytes = { normal: IMAGE_BYTES, small: least, large: LARGE_BYTES }[size];
    mkdirSync(this.path);
    volumes.set(this.#folder, this);
  }

  /**
   * @param commitSeconds after so long ext4 writes to the disk by itself; its default is 5. @throws Error with what the
   * system says.
   */
  static create(kind: Kind, size: Size, commitSeconds = LONGEST_COMMIT_SECONDS): Volume {
    const volume = new Volume(kind, size, commitSeconds);
    try {
      volume.#format();
      volume.mount();
      chmodSync(volume.path, 0o700);
      return volume;
    } catch (error) {
      volume.remove();
      throw error;
    }
  }

  /** Also after a power loss: the journal is replayed. @param access of images. */
  mount(access: 'rw' | 'ro' = 'rw'): void {
    if (this.kind === 'tmpfs')
      run('mount', ['-t', 'tmpfs', '-o', `size=${this.#sizeBytes},mode=700`, 'tmpfs', this.path]);
    else {
      const commit = this.kind === 'ext4' ? `,commit=${this.#commitSeconds}` : '';
      run('mount', ['-t', this.kind, '-o', `loop,${access}${commit}`, this.#image, this.path]);
    }
  }

  /**
   * Ends all writing to the disk at once, without the log that is still in memory: what was not flushed is lost. Calls
   * fail with EIO from then on.
   */
  losePower(): void {
    run('xfs_io', ['-x', '-c', 'shutdown', this.path]);
  }

  /** The caller owes that every process that used it is dead. */
  async unmount(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const { status, stderr } = spawnSync('umount', [this.path], { env: { PATH }, encoding: 'utf8' });
      if (status === 0) return;
      if (tries === UNMOUNT_TRIES) throw new Error(stderr);
      await sleep(100);
    }
  }

  /** Fills it to the last byte with a file that is not the server's. It may be called again. */
  fill(): void {
    const bytes = Buffer.alloc(MIB, 1);
    for (let size = MIB; size >= 512; size >>= 1) {
      try {
        for (;;) writeFileSync(join(this.path, 'ballast'), bytes.subarray(0, size), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  /** @param bytes how many; all of the foreign file's when not given. */
  free(bytes?: number): void {
    const path = join(this.path, 'ballast');
    if (bytes === undefined) rmSync(path, { force: true });
    else truncateSync(path, Math.max(0, statSync(path).size - bytes));
  }

  /** Keeps what is there as evidence. */
  copyTo(folder: string): void {
    spawnSync('cp', ['-a', '--sparse=always', this.path, folder], { env: { PATH } });
  }

  /** Never throws; nothing of it is left. */
  remove(): void {
    if (volumes.delete(this.#folder) === false) return;
    if (isMounted(this.path) && spawnSync('umount', [this.path], { env: { PATH } }).status !== 0) {
      spawnSync('umount', ['--lazy', this.path], { env: { PATH } });
    }
    rmSync(this.#image, { force: true });
    // Not recursive: should it still be mounted, what is in it is not ours to remove.
    for (const folder of [this.path, this.#folder]) {
      try {
        rmdirSync(folder);
      } catch (error) {
        console.error(`cryolift: ${folder} is left behind (${(error as NodeJS.ErrnoException).code})`);
      }
    }
  }

  #format(): void {
    if (this.kind === 'tmpfs') return;
    writeFileSync(this.#image, '');
    truncateSync(this.#image, this.#sizeBytes);
    // No blocks are kept for root, who is the one that runs the tests.
    if (this.kind === 'ext4') run('mkfs.ext4', ['-q', '-F', '-m', '0', this.#image]);
    else run('mkfs.xfs', ['-q', this.#image]);
  }
}

function isMounted(path: string): boolean {
  return readFileSync('/proc/mounts', 'utf8').includes(` ${path} `);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { env: { PATH }, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
