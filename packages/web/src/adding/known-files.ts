/** Finds files that the server has already, before they are sent again. */
import { type Api, searchFiles } from '@cryolift/client';
import { toHex } from '@cryolift/protocol/digest';
import { cleanPath } from '@cryolift/protocol/file-path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { Turns } from '../turns.ts';

/** `same`: the bytes are the same; `other`: they differ; `unknown`: the file is too large to be read for this. */
export type Known = 'same' | 'other' | 'unknown';

/** A folder with more files is not listed: the server is asked for each name. */
const LISTED = 1_000;
/** For so long the server is not asked about a folder again. */
const KEPT_MS = 10_000;
const WAIT_MS = 5_000;
/** A larger file is not read: sending it takes longer than the user would wait for this. */
const MOST_READ_BYTES = 2 * 1024 ** 3;

interface Folder {
  readonly listed: Promise<ReadonlyMap<string, FileRecord> | 'long'>;
  readonly askedMs: number;
}

/** For callers that the server would not answer. */
export const NOTHING_KNOWN: Pick<KnownFiles, 'compare'> = { compare: async () => null };

export class KnownFiles {
  readonly #api: Api;
  readonly #folders = new Map<string, Folder>();
  readonly #asking = new Turns(2);
  readonly #reading = new Turns(1);

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Compares a file with the one of the same name and size in the same folder.
   *
   * @param path with its folders; null: it is in none.
   * @returns null when there is none, or when the server does not say. Never throws.
   */
  async compare(file: File, path: string | null): Promise<Known | null> {
    try {
      const record = await this.#find(file, path);
      if (!record) return null;
      if (file.size > MOST_READ_BYTES) return 'unknown';
      const signal = new AbortController().signal;
      const digest = await this.#reading.take(signal, () => digestParts(file, record.part_size));
      return digest === record.parts_sha256 ? 'same' : 'other';
    } catch {
      // The server alone decides then.
      return null;
    }
  }

  async #find(file: File, path: string | null): Promise<FileRecord | undefined> {
    const clean = cleanPath(path ?? file.name);
    const at = clean.lastIndexOf('/');
    const [folder, name] = [clean.slice(0, Math.max(0, at)), clean.slice(at + 1)];
    const listed = await this.#list(folder);
    const found = listed === 'long' ? await this.#ask(folder, name, file.size) : listed.get(keyOf(name, file.size));
    return found;
  }

  #list(folder: string): Folder['listed'] {
    const known = this.#folders.get(folder);
    if (known && Date.now() - known.askedMs < KEPT_MS) return known.listed;
    const listed = searchFiles(this.#api, { folder, limit: LISTED }, timeLimit()).then(({ items, next_cursor }) =>
      next_cursor === null ? byKey(items) : ('long' as const),
    );
    this.#folders.set(folder, { listed, askedMs: Date.now() });
    return listed;
  }

  async #ask(folder: string, name: string, size: number): Promise<FileRecord | undefined> {
    const query = { folder, q: name, min_size: size, max_size: size };
    const { items } = await this.#asking.take(new AbortController().signal, () =>
      searchFiles(this.#api, query, timeLimit()),
    );
    return byKey(items).get(keyOf(name, size));
  }
}

function timeLimit() {
  return { signal: AbortSignal.timeout(WAIT_MS) };
}

/** The newest of each name and size. */
function byKey(files: readonly FileRecord[]): Map<string, FileRecord> {
  return new Map(files.toReversed().map((file) => [keyOf(file.filename.normalize('NFC'), file.size), file]));
}

function keyOf(name: string, size: number): string {
  return `${size} ${name}`;
}

/** SHA-256 over the digests of the parts, hex, as in `parts_sha256` of a record. One part is held in memory. */
async function digestParts(file: File, partSize: number): Promise<string> {
  const count = Math.max(1, Math.ceil(file.size / partSize));
  const digests = new Uint8Array(count * 32);
  for (let idx = 0; idx < count; idx++) {
    const { offset, length } = partExtent(file.size, partSize, idx);
    const bytes = await file.slice(offset, offset + length).arrayBuffer();
    digests.set(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), idx * 32);
  }
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', digests)));
}
