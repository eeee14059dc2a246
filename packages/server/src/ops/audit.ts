/** Who did what to what: lines of JSON that are only ever added to, a file for each month. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
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
  /** Refusals of strangers that were not written since the last that was. */
  readonly omitted?: number;
}

export class AuditLog {
  readonly #folder: string;
  #file: { month: string; handle: FileHandle } | null = null;
  /** What waits for the write under way. */
  #waiting: AuditEntry[] = [];
  #writing: Promise<void> | null = null;

  /** @param folder made with the first line. */
  constructor(folder: string) {
    this.#folder = folder;
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
      const handle = await this.#open(month);
      const text = these.map((entry) => `${JSON.stringify(entry)}\n`).join('');
      const { bytesWritten } = await handle.write(text);
      if (bytesWritten < Buffer.byteLength(text)) throw new Error('the audit was not written whole: is the disk full?');
    }
  }

  async #open(month: string): Promise<FileHandle> {
    if (this.#file?.month === month) return this.#file.handle;
    await this.#file?.handle.close();
    this.#file = null;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const handle = await open(join(this.#folder, `${month}.jsonl`), 'a+', 0o600);
    this.#file = { month, handle };
    await endTornLine(handle);
    return handle;
  }
}

/** A line that a crash has cut off must not swallow the next one. */
async function endTornLine(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  if (size === 0) return;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer.toString() !== '\n') await handle.write('\n');
}
