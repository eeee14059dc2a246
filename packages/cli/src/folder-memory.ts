/**
 * What became of the files of a folder, over all runs: those that went up are not sent again, those that the server will not
 * have are not offered again.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultStateFolder, naming } from '@cryolift/client/node';

/** A file as it was. */
interface Known {
  /** Below the folder. */
  readonly path: string;
  readonly size: number;
  readonly modified_ms: number;
  /** Of the inode (`ctime`), which cannot be set back. */
  readonly changed_ms: number;
  /** Tells that a file was only renamed. */
  readonly inode: number;
  /** RFC 3339. */
  readonly at: string;
}

export interface WentUp extends Known {
  readonly file_id: string;
  readonly sha256: string;
}

interface Refused extends Known {
  readonly refused: string;
}

type Entry = WentUp | Refused;

/** Of a file as it is now. */
export interface Facts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly inode: number;
}

/** A line of JSON per file, under the user's state folder; the last of a path holds. */
export class FolderMemory {
  readonly #journal: string;
  readonly #byPath = new Map<string, Entry>();
  readonly #byInode = new Map<number, WentUp>();

  private constructor(journal: string, entries: readonly Entry[]) {
    this.#journal = journal;
    for (const entry of entries) this.#keep(entry);
  }

  static async open(server: string, folder: string): Promise<FolderMemory> {
    const journal = `${await placeOf(server, folder)}.jsonl`;
    return new FolderMemory(journal, await readEntries(journal));
  }

  /** @returns null when the file did not go up, or is another one by now. */
  find(path: string, facts: Facts): WentUp | null {
    const entry = this.#byPath.get(path);
    if (!entry || !('file_id' in entry) || !isOf(entry, facts)) return null;
    return entry.inode === facts.inode && entry.changed_ms === facts.changedMs ? entry : null;
  }

  /**
   * @returns what went up with this size and time, under this name or with this inode: most likely this file, restored or
   *   renamed. But inodes are used again, and times can be set: only its bytes tell.
   */
  findAlike(path: string, facts: Facts): WentUp | null {
    const entries = [this.#byPath.get(path), isTelling(facts.inode) ? this.#byInode.get(facts.inode) : undefined];
    return (
      (entries.find((entry) => entry !== undefined && 'file_id' in entry && isOf(entry, facts)) as WentUp | null) ??
      null
    );
  }

  /** @returns why the file, as it is, was refused; null when it was not. */
  findRefusal(path: string, facts: Facts): string | null {
    const entry = this.#byPath.get(path);
    return entry && 'refused' in entry && isOf(entry, facts) ? entry.refused : null;
  }

  /** It is on the disk when this resolves. */
  async note(
    path: string,
    facts: Facts,
    became: { file_id: string; sha256: string } | { refused: string },
  ): Promise<void> {
    const { sizeBytes: size, modifiedMs: modified_ms, changedMs: changed_ms, inode } = facts;
    const outcome =
      'refused' in became ? { refused: became.refused } : { file_id: became.file_id, sha256: became.sha256 };
    const entry: Entry = { path, size, modified_ms, changed_ms, inode, ...outcome, at: new Date().toISOString() };
    await naming(dirname(this.#journal), () => this.#append(entry));
    this.#keep(entry);
  }

  async #append(entry: Entry): Promise<void> {
    await mkdir(dirname(this.#journal), { recursive: true, mode: 0o700 });
    const handle = await open(this.#journal, 'a', 0o600);
    try {
      // A line that a crash cut off stays alone on its own.
      await handle.write(`\n${JSON.stringify(entry)}`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  #keep(entry: Entry): void {
    this.#byPath.set(entry.path, entry);
    if ('file_id' in entry) this.#byInode.set(entry.inode, entry);
  }
}

/** Some shares number no file; of others the numbers do not fit here, and several files seem to have one. */
export function isTelling(inode: number): boolean {
  return inode > 0 && Number.isSafeInteger(inode);
}

/** @returns the path, without its extension, of what is kept about a folder and a server. */
export async function placeOf(server: string, folder: string): Promise<string> {
  const key = createHash('sha256')
    .update(`${server}\n${await realpath(folder)}`)
    .digest('hex')
    .slice(0, 32);
  return join(dirname(defaultStateFolder()), 'folders', key);
}

function isOf({ size, modified_ms }: Known, { sizeBytes, modifiedMs }: Facts): boolean {
  return size === sizeBytes && modified_ms === modifiedMs;
}

async function readEntries(journal: string): Promise<Entry[]> {
  const text = await readFile(journal, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Entry];
    } catch {
      return [];
    }
  });
}
