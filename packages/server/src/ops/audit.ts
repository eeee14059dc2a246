/** Who did what to what: lines of JSON that are only ever added to, in files of a month each, or of less when it is much. */
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Ids, codes and addresses alone: no names, metadata, tokens or signatures. */
export interface AuditEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly request_id: string;
  /** Of the token; null: nobody that is known. */
  readonly subject: string | null;
  /** The upload link that was called with. */
  readonly link_id?: string;
  /** The key of the signed URL that was called with. */
  readonly key_id?: string;
  readonly address: string;
  readonly action: string;
  readonly upload_id?: string;
  readonly file_id?: string;
  /** Of an event in the outbox. */
  readonly seq?: string;
  /** Whose things an administrator has changed. */
  readonly owner?: string;
  /** `begun`: to be asked for again (202). `failed`: by the server. */
  readonly outcome: 'ok' | 'begun' | 'refused' | 'failed';
  /** Of the error table. */
  readonly code?: string;
  /** Calls of this subject before this one that were refused or failed and have no line. */
  readonly omitted?: number;
}

export interface AuditBounds {
  /** With more than this a new file is begun, bytes. */
  readonly maxFileBytes: number;
  /** With more than this in all, the oldest files are removed, bytes. */
  readonly maxTotalBytes: number;
  /** Files without a line that is younger are removed; null: none is, for its age. */
  readonly maxAgeMs: number | null;
}

/** In the order in which they were begun when they are sorted: `2026-11.jsonl`, `2026-11_0002.jsonl`, … */
const FILE = /^(\d{4}-\d{2})(?:_(\d{4}))?\.jsonl$/;

export class AuditLog {
  readonly #folder: string;
  readonly #bounds: AuditBounds;
  readonly #onRemoved: (file: string) => void;
  #file: { month: string; handle: FileHandle; bytes: number } | null = null;
  /** What waits for the write under way. */
  #waiting: AuditEntry[] = [];
  #writing: Promise<void> | null = null;

  /** @param folder made with the first line. @param onRemoved is told of every file that was removed. */
  constructor(folder: string, bounds: AuditBounds, onRemoved: (file: string) => void) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#onRemoved = onRemoved;
  }

  /** @returns when the system has the line; it is not waited for the disk. Lines that come meanwhile go together. @throws what writing throws. */
  async write(entry: AuditEntry): Promise<void> {
    this.#waiting.push(entry);
    const before = this.#writing;
    if (before) await before.catch(() => {});
    // Somebody who waited, too, may have taken it along.
    if (this.#waiting.includes(entry)) this.#writing = this.#writeAll(this.#waiting.splice(0));
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#file?.handle.close();
  }

  /**
   * Removes what is too much or too old, oldest first; never the newest file.
   *
   * @param nowMs null: nothing is removed for its age. @throws what reading the folder throws.
   */
  async prune(nowMs: number | null): Promise<void> {
    const { maxTotalBytes, maxAgeMs } = this.#bounds;
    const names = await this.#listFiles();
    const files = [];
    for (const name of names) {
      // Another one may be at it, too.
      const found = await stat(join(this.#folder, name)).catch(ignoreAbsence);
      if (found) files.push({ name, ...found });
    }
    let total = files.reduce((sum, { size }) => sum + size, 0);
    const oldestMs = nowMs === null || maxAgeMs === null ? Number.NEGATIVE_INFINITY : nowMs - maxAgeMs;
    for (const { name, size, mtimeMs } of files.slice(0, -1)) {
      if (total <= maxTotalBytes && mtimeMs >= oldestMs) return;
      await rm(join(this.#folder, name), { force: true });
      total -= size;
      this.#onRemoved(name);
    }
  }

  async #listFiles(): Promise<string[]> {
    const names = (await readdir(this.#folder).catch(ignoreAbsence)) ?? [];
    return names.filter((name) => FILE.test(name)).sort();
  }

  async #writeAll(entries: readonly AuditEntry[]): Promise<void> {
    try {
      await this.#append(entries);
    } catch (error) {
      // A line may be there in part: opening the file anew ends it, so that it does not swallow the next one.
      const handle = this.#file?.handle;
      this.#file = null;
      await handle?.close().catch(() => {});
      throw error;
    }
  }

  async #append(entries: readonly AuditEntry[]): Promise<void> {
    const months = Map.groupBy(entries, ({ time }) => time.slice(0, 7));
    for (const [month, these] of months) {
      const file = await this.#open(month);
      const text = these.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      const { bytesWritten } = await file.handle.write(text);
      file.bytes += bytesWritten;
      if (bytesWritten < Buffer.byteLength(text)) throw new Error('the audit was not written whole: is the disk full?');
    }
  }

  async #open(month: string): Promise<{ handle: FileHandle; bytes: number }> {
    const { maxFileBytes } = this.#bounds;
    if (this.#file?.month === month && this.#file.bytes < maxFileBytes) return this.#file;
    const before = this.#file;
    this.#file = null;
    await before?.handle.close();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    let number = 1;
    for (const name of await this.#listFiles()) {
      const [, ofMonth, written] = FILE.exec(name) as unknown as [string, string, string | undefined];
      if (ofMonth === month) number = Number(written ?? 1);
    }
    let file = await this.#openNumber(month, number);
    if (file.bytes >= maxFileBytes) {
      await file.handle.close();
      file = await this.#openNumber(month, number + 1);
      // What is too much is removed later, too: no line is lost for it.
      await this.prune(null).catch(() => {});
    }
    return file;
  }

  /** Keeps it: what fails from here on closes it. Node ends a process that forgets to. */
  async #openNumber(month: string, number: number): Promise<{ month: string; handle: FileHandle; bytes: number }> {
    const part = number === 1 ? '' : `_${String(number).padStart(4, '0')}`;
    const handle = await open(join(this.#folder, `${month}${part}.jsonl`), 'a+', 0o600);
    const file = { month, handle, bytes: 0 };
    this.#file = file;
    file.bytes = (await handle.stat()).size;
    await endTornLine(handle, file.bytes);
    return file;
  }
}

function ignoreAbsence(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

/** A line that a crash has cut off must not swallow the next one. */
async function endTornLine(handle: FileHandle, size: number): Promise<void> {
  if (size === 0) return;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer.toString() !== '\n') await handle.write('\n');
}
