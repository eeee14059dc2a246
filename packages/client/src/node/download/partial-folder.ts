/**
 * The folder of an incomplete download, `.cryolift-KEY.part` next to the target, which only its user can open. It is
 * created exclusively and contains the bytes, a journal of the stored ranges, and a lock. Its name depends only on the
 * id and the SHA-256 of the file, so that a later run finds it (docs/decisions/0045).
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { TargetError } from '../../failures.ts';
import { mayBeHeld, retryWhileHeld } from '../held-file.ts';
import { digestOf } from './file-digest.ts';
import { toInUseError } from './target-failure.ts';

/**
 * Takes a lock that ends with this process. @returns a function that releases it, or null when another process has it.
 */
export type TakeLock = (path: string) => (() => void) | null;

/** A folder that a run was removing when it was killed. */
const REMOVED = /^\.cryolift-[0-9a-f]{32}\.[0-9a-f]{16}\.old$/;
// Not available on every system.
const { O_NOFOLLOW = 0, O_DIRECTORY = 0 } = constants;

/** The first line of the journal. Each line after it is the number of a range that is stored. */
interface Head {
  readonly file_id: string;
  /** The explanation for users who find the folder. */
  readonly filename: string;
  readonly sha256: string;
}

export class PartialFolder {
  readonly #path: string;
  readonly #file: FileRecord;
  readonly #unlock: () => void;
  #journal: FileHandle | null = null;
  #writing = Promise.resolve();
  #hasBytes = false;

  private constructor(path: string, file: FileRecord, unlock: () => void) {
    this.#path = path;
    this.#file = file;
    this.#unlock = unlock;
  }

  /**
   * Creates the folder of a file, or uses the one of an earlier run.
   *
   * @param folder of the target.
   * @throws TargetError `download_running`, and the system's errors.
   */
  static async claim(folder: string, file: FileRecord, lock: TakeLock): Promise<PartialFolder> {
    const key = createHash('sha256')
      .update(`${file.file_id}\n${digestOf(file)}`)
      .digest('hex')
      .slice(0, 32);
    const path = join(folder, `.cryolift-${key}.part`);
    for (;;) {
      await mkdir(path, 0o700).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      const unlock = await lockOwn(path, lock);
      if (!unlock) continue;
      await removeRest(folder);
      return new PartialFolder(path, file, unlock);
    }
  }

  get bytesPath(): string {
    return join(this.#path, 'bytes');
  }

  /** True when a later run can resume from the folder. */
  get hasBytes(): boolean {
    return this.#hasBytes;
  }

  get #journalPath(): string {
    return join(this.#path, 'journal.json');
  }

  /**
   * Opens the bytes, at their full length. Other users cannot open the folder, so the bytes have their final mode.
   *
   * @returns them and the ranges that an earlier run has stored.
   */
  async open(): Promise<{ handle: FileHandle; done: Set<number> }> {
    const there = await lstat(this.bytesPath).catch(() => null);
    // An earlier run has linked the file to its final name and died: it must not be written to any more.
    if (there && there.nlink > 1) await retryWhileHeld(() => rm(this.bytesPath));
    const flags = constants.O_RDWR | constants.O_CREAT | O_NOFOLLOW;
    const handle = await retryWhileHeld(() => open(this.bytesPath, flags, 0o666));
    try {
      const isWhole = (await handle.stat()).size === this.#file.size;
      // The journal belongs to other bytes.
      if (!isWhole) await retryWhileHeld(() => rm(this.#journalPath, { force: true }));
      await handle.truncate(this.#file.size);
      const done = isWhole ? await this.#readJournal() : new Set<number>();
      // Flushed while there is space: a disk that the bytes fill must not lose the journal.
      this.#journal ??= await this.#beginJournal();
      this.#hasBytes = done.size > 0;
      return { handle, done };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Notes that a range is stored. */
  async note(idx: number): Promise<void> {
    this.#writing = this.#writing.then(async () => await this.#journal?.appendFile(`${idx}\n`));
    await this.#writing;
    this.#hasBytes = true;
  }

  /** @returns the ranges that are stored. An incomplete line and all after it are truncated. */
  async #readJournal(): Promise<Set<number>> {
    const done = new Set<number>();
    try {
      const [head = '', ...lines] = (await retryWhileHeld(() => readFile(this.#journalPath, 'utf8'))).split('\n');
      if ((JSON.parse(head) as Head).sha256 !== digestOf(this.#file)) return done;
      // Empty, or an incomplete line.
      lines.pop();
      let sizeBytes = Buffer.byteLength(head) + 1;
      for (const line of lines) {
        if (!/^\d{1,15}$/.test(line)) break;
        done.add(Number(line));
        sizeBytes += line.length + 1;
      }
      const flags = constants.O_WRONLY | constants.O_APPEND | O_NOFOLLOW;
      this.#journal = await retryWhileHeld(() => open(this.#journalPath, flags));
      await this.#journal.truncate(sizeBytes);
      return done;
    } catch {
      // Missing or incomplete: start from the first byte.
      await this.#closeJournal();
      return new Set();
    }
  }

  async #beginJournal(): Promise<FileHandle> {
    const { file_id, filename } = this.#file;
    const sha256 = digestOf(this.#file);
    // Created exclusively: a symbolic link at its path is not followed.
    await retryWhileHeld(() => rm(this.#journalPath, { force: true }));
    const journal = await open(this.#journalPath, 'ax');
    try {
      await journal.appendFile(`${JSON.stringify({ file_id, filename, sha256 } satisfies Head)}\n`);
      return journal;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  async #closeJournal(): Promise<void> {
    const journal = this.#journal;
    this.#journal = null;
    // Written ranges are kept; missing ones are fetched again.
    await journal?.close().catch(() => {});
  }

  /** @throws the system's error for a name that this folder does not support. */
  async tryName(name: string): Promise<void> {
    const folder = join(this.#path, randomBytes(8).toString('hex'));
    await mkdir(folder);
    await writeFile(join(folder, name), '', { flag: 'wx' });
    await retryWhileHeld(() => rm(folder, { recursive: true, force: true }));
  }

  /** Keeps the downloaded bytes for a later run. */
  async release(): Promise<void> {
    await this.#closeJournal();
    this.#unlock();
  }

  /**
   * Removes the folder. It is renamed first, so that a process that waits for the lock finds another folder or none.
   */
  async discard(): Promise<void> {
    await this.#closeJournal();
    if (process.platform === 'win32') return await this.#empty();
    try {
      const aside = removedName(this.#path);
      await rename(this.#path, aside);
      await rm(aside, { recursive: true, force: true });
    } finally {
      this.#unlock();
    }
  }

  /**
   * `discard` on Windows, which renames no folder while a file in it is open, and removes no lock that another process
   * has open: what is left then belongs to that process.
   */
  async #empty(): Promise<void> {
    try {
      await retryWhileHeld(() => rm(this.bytesPath, { force: true }));
      await retryWhileHeld(() => rm(this.#journalPath, { force: true }));
    } finally {
      this.#unlock();
    }
    await retryWhileHeld(() => rm(this.#path, { recursive: true, force: true })).catch(() => {});
  }
}

function removedName(path: string): string {
  return path.replace(/part$/, `${randomBytes(8).toString('hex')}.old`);
}

/**
 * Locks the folder at `path`.
 *
 * @returns null when it was removed or replaced meanwhile.
 * @throws TargetError
 */
async function lockOwn(path: string, lock: TakeLock): Promise<(() => void) | null> {
  const handle = await open(path, constants.O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(
    async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      // A link, a file, or the folder of another user.
      if (['ELOOP', 'ENOTDIR', 'EACCES'].includes(error.code ?? '')) throw notOurs(path);
      throw error;
    },
  );
  if (!handle) return null;
  try {
    const { ino, dev, uid } = await handle.stat({ bigint: true });
    if (!(await isOwnUser(uid, path))) throw notOurs(path);
    // While the folder is open, its inode number is not reused.
    const isStillThere = async () => {
      const now = await lstat(path, { bigint: true }).catch(() => null);
      return now?.ino === ino && now.dev === dev;
    };
    let unlock: (() => void) | null;
    try {
      unlock = await retryWhileHeld(async () => lock(join(path, 'lock')));
    } catch (cause) {
      if (!(await isStillThere())) return null;
      if (mayBeHeld(cause)) throw toInUseError(join(path, 'lock'), cause);
      throw new TargetError(
        'target_unwritable',
        `The folder ${dirname(path)} cannot be used for downloads: its file system does not support locks.`,
        'Download into another folder.',
        { cause },
      );
    }
    if (!unlock) {
      throw new TargetError(
        'download_running',
        `This file is being downloaded into ${dirname(path)} by another process.`,
        'Wait until it is done, or download into another folder (-o).',
      );
    }
    if (await isStillThere()) return unlock;
    unlock();
    return null;
  } finally {
    await handle.close();
  }
}

/** Checks whether files of this process next to `path` get this owner: some file systems give all files one owner. */
async function isOwnUser(uid: bigint, path: string): Promise<boolean> {
  const own = process.getuid?.();
  if (own === undefined || uid === BigInt(own)) return true;
  const created = removedName(path);
  await mkdir(created, 0o700);
  try {
    return uid === (await lstat(created, { bigint: true })).uid;
  } finally {
    await rmdir(created);
  }
}

function notOurs(path: string): TargetError {
  return new TargetError(
    'target_unwritable',
    `${path} exists and was not created by a download of this user.`,
    'Remove it, or download into another folder (-o).',
  );
}

async function removeRest(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => REMOVED.test(each))) {
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}
