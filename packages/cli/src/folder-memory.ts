/** What earlier runs got there from a folder: an interrupted run goes on behind the files that were done. */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultStateFolder } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Found } from './find-files.ts';

/** A published file, as it was when it went up. */
interface Entry {
  /** Below the folder. */
  readonly path: string;
  readonly size: number;
  readonly modified_ms: number;
  readonly file_id: string;
  readonly sha256: string;
}

/** A line of JSON per file, under the user's state folder; the last of a path holds. */
export class FolderMemory {
  readonly #journal: string;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(journal: string, entries: readonly Entry[]) {
    this.#journal = journal;
    this.#entries = new Map(entries.map((entry) => [entry.path, entry]));
  }

  static async open(server: string, folder: string): Promise<FolderMemory> {
    const key = createHash('sha256')
      .update(`${server}\n${await realpath(folder)}`)
      .digest('hex')
      .slice(0, 32);
    const journal = join(dirname(defaultStateFolder()), 'folders', `${key}.jsonl`);
    return new FolderMemory(journal, await readEntries(journal));
  }

  /** @returns null when the file did not go up, or is another one by now. */
  find(path: string, { sizeBytes, modifiedMs }: Found): Entry | null {
    const entry = this.#entries.get(path);
    return entry?.size === sizeBytes && entry.modified_ms === modifiedMs ? entry : null;
  }

  async note(path: string, { modifiedMs }: Found, { size, file_id, sha256 }: FileRecord): Promise<void> {
    const entry: Entry = { path, size, modified_ms: modifiedMs, file_id, sha256 };
    await mkdir(dirname(this.#journal), { recursive: true, mode: 0o700 });
    // A line that a crash cut off stays alone on its own.
    await appendFile(this.#journal, `\n${JSON.stringify(entry)}`, { mode: 0o600 });
  }
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
