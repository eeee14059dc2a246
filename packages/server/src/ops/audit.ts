/** The audit: append-only lines of JSON, in one file per month, or more when a file is large. */
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { durableStep } from '../durable-step.ts';

/** Only ids, codes and addresses: no names, metadata, tokens or signatures. */
export interface AuditEntry {
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly request_id: string;
  /** `sub` of the token; null: anonymous. */
  readonly subject: string | null;
  /** The upload link of the caller. */
  readonly link_id?: string;
  /** The key of the signed URL. */
  readonly key_id?: string;
  readonly address: string;
  readonly action: string;
  readonly upload_id?: string;
  readonly file_id?: string;
  readonly dataset_id?: string;
  /** Of an event in the outbox. */
  readonly seq?: string;
  /** The owner whose data an administrator has changed. */
  readonly owner?: string;
  /** `begun`: in progress (202). `failed`: by the server. */
  readonly outcome: 'ok' | 'begun' | 'refused' | 'failed';
  /** Of the error table. */
  readonly code?: string;
  /** Calls of this subject before this one that were refused or failed and have no line. */
  readonly omitted?: number;
}

export interface AuditBounds {
  /** Above this size a new file is started, bytes. */
  readonly maxFileBytes: number;
  /** Above this total size, the oldest files are removed, bytes. */
  readonly maxTotalBytes: number;
  /** Files whose lines are all older are removed; null: no limit of age. */
  readonly maxAgeMs: number | null;
}

/** Sorted by name they are in the order of their start: `2026-11.jsonl`, `2026-11_0002.jsonl`, … */
const FILE = /^(\d{4}-\d{2})(?:_(\d{4}))?\.jsonl$/;

export class AuditLog {
  readonly #folder: string;
  readonly #bounds: AuditBounds;
  readonly #onRemoved: (file: string) => void;
  #file: { month: string; handle: FileHandle; bytes: number } | null = null;
  /** Lines that wait for the current write. */
  #waiting: AuditEntry[] = [];
  #writing: Promise<void> | null = null;

  /** @param folder created with the first line. @param onRemoved is called with every removed file. */
  constructor(folder: string, bounds: AuditBounds, onRemoved: (file: string) => void) {
    this.#folder = folder;
    this.#bounds = bounds;
    this.#onRemoved = onRemoved;
  }

  /**
   * Resolves when the system has the line, without a flush. Lines that arrive meanwhile are written together. @throws
   * the error of the write.
   */
  async write(entry: AuditEntry): Promise<void> {
    this.#waiting.push(entry);
    const before = this.#writing;
    if (before) await before.catch(() => {});
    // Another caller may have written it.
    if (this.#waiting.includes(entry)) this.#writing = this.#writeAll(this.#waiting.splice(0));
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#file?.handle.close();
  }

  /**
   * Removes files above the limits of size and age, oldest first; never the newest file.
   *
   * @param nowMs null: no limit of age. @throws the error of reading the folder.
   */
  async prune(nowMs: number | null): Promise<void> {
    const { maxTotalBytes, maxAgeMs } = this.#bounds;
    const names = await this.#listFiles();
    const files = [];
    for (const name of names) {
      // Another call may run at the same time.
      const found = await stat(join(this.#folder, name)).catch(ignoreAbsence);
      if (found) files.push({ name, ...found });
    }
    let total = files.reduce((sum, { size }) => sum + size, 0);
    const oldestMs = nowMs === null || maxAgeMs === null ? Number.NEGATIVE_INFINITY : nowMs - maxAgeMs;
    for (const { name, size, mtimeMs } of files.slice(0, -1)) {
      if (total <= maxTotalBytes && mtimeMs >= oldestMs) return;
      await durableStep('audit.remove', () => rm(join(this.#folder, name), { force: true }));
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
      // The line may be incomplete: reopening the file ends it, so that it does not corrupt the next one.
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
      const { bytesWritten } = await durableStep('audit.write', () => file.handle.write(text));
      file.bytes += bytesWritten;
      if (bytesWritten < Buffer.byteLength(text))
        throw new Error('a line of the audit was not written completely; the disk may be full');
    }
  }

  async #open(month: string): Promise<{ handle: FileHandle; bytes: number }> {
    const { maxFileBytes } = this.#bounds;
    if (this.#file?.month === month && this.#file.bytes < maxFileBytes) return this.#file;
    const before = this.#file;
    this.#file = null;
    await before?.handle.close();
    await durableStep('audit.make-folder', () => mkdir(this.#folder, { recursive: true, mode: 0o700 }));
    let number = 1;
    for (const name of await this.#listFiles()) {
      const [, ofMonth, written] = FILE.exec(name) as unknown as [string, string, string | undefined];
      if (ofMonth === month) number = Number(written ?? 1);
    }
    let file = await this.#openNumber(month, number);
    if (file.bytes >= maxFileBytes) {
      await file.handle.close();
      file = await this.#openNumber(month, number + 1);
      // A failure here must not lose a line; the limits are applied again later.
      await this.prune(null).catch(() => {});
    }
    return file;
  }

  /** Stores the handle, so that later failures close it. Node ends a process with an unclosed handle. */
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

/** An incomplete line after a crash must not corrupt the next one. */
async function endTornLine(handle: FileHandle, size: number): Promise<void> {
  if (size === 0) return;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer.toString() !== '\n') await durableStep('audit.end-line', () => handle.write('\n'));
}
