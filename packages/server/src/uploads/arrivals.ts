/** How far each upload is complete from its first byte on: what the whole-file digest may read. */
import type { Database } from '../db/database.ts';
import { listParts } from '../db/parts.ts';
import type { UploadRow } from '../db/tables.ts';
import type { PartStore } from '../parts/store.ts';
import { toStaged } from './session.ts';

/** How far the digest may be behind before senders are slowed, in parts. */
const SLACK_PARTS = 2;

interface Arrived {
  stored: Uint8Array;
  /** Index of the first part that is missing. */
  next: number;
}

export class Arrivals {
  readonly #db: Database;
  readonly #store: PartStore;
  readonly #uploads = new Map<string, Promise<Arrived>>();

  constructor(db: Database, store: PartStore) {
    this.#db = db;
    this.#store = store;
  }

  /** Part `idx` is recorded; lets the store follow when the prefix has grown, and gives it a moment when it is behind. */
  async note(row: UploadRow, idx: number): Promise<void> {
    let loading = this.#uploads.get(row.id);
    if (!loading) {
      loading = this.#load(row);
      this.#uploads.set(row.id, loading);
    }
    const arrived = await loading;
    arrived.stored[idx] = 1;
    const before = arrived.next;
    while (arrived.next < row.part_count && arrived.stored[arrived.next]) arrived.next++;
    if (arrived.next === before) return;
    this.#store.noteArrived(toStaged(row), Math.min(arrived.next * row.part_size, row.size));
    await this.#store.catchUpDigest(row.id, SLACK_PARTS * row.part_size);
  }

  forget(uploadId: string): void {
    this.#uploads.delete(uploadId);
  }

  async #load(row: UploadRow): Promise<Arrived> {
    const stored = new Uint8Array(row.part_count);
    for (const part of await listParts(this.#db, row.id, 0, row.part_count)) stored[part.idx] = 1;
    return { stored, next: 0 };
  }
}
