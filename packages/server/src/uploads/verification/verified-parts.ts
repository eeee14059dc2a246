/**
 * The parts whose bytes this process has hashed, as received or as stored, and that cannot have changed since. All
 * other parts are from an earlier process, and are hashed before a publish.
 */
import type { UploadRow } from '../../db/tables.ts';
import type { PartSelection } from '../../storage/places.ts';
import type { Storage } from '../../storage/storage.ts';

type Plan = Pick<UploadRow, 'id' | 'part_size' | 'part_count'>;

export class VerifiedParts {
  /** By part: 1 when it is verified. */
  readonly #uploads = new Map<string, Uint8Array>();
  readonly #hasOtherWriters: boolean;

  /** @param hasOtherWriters of the storage: then no part counts as verified. */
  constructor({ hasOtherWriters }: Pick<Storage, 'hasOtherWriters'>) {
    this.#hasOtherWriters = hasOtherWriters;
  }

  note({ id, part_count }: Plan, idx: number): void {
    if (this.#hasOtherWriters) return;
    const verified = this.#uploads.get(id) ?? new Uint8Array(part_count);
    verified[idx] = 1;
    this.#uploads.set(id, verified);
  }

  has(uploadId: string, idx: number): boolean {
    return this.#uploads.get(uploadId)?.[idx] === 1;
  }

  /** @param isStored by index. @returns the stored parts that are not verified; null when there are none. */
  selectOthers({ id, part_size, part_count }: Plan, isStored: (idx: number) => boolean): PartSelection | null {
    const selected = new Uint8Array(part_count);
    for (let idx = 0; idx < part_count; idx++) selected[idx] = isStored(idx) && !this.has(id, idx) ? 1 : 0;
    return selected.includes(1) ? { partSizeBytes: part_size, selected } : null;
  }

  /** To be called when the upload has ended. `distrustParts` also drops the digest of an active upload. */
  forget(uploadId: string): void {
    this.#uploads.delete(uploadId);
  }
}
