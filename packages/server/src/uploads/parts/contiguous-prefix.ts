/** The contiguous prefix of each upload, which the whole-file digest can read. */
import { centralSection, isMrcName } from '@cryolift/mrc';
import type { MrcAnalyzer } from '../../analysis/mrc-analyzer.ts';
import { uploadTarget } from '../../analysis/target.ts';
import type { Database } from '../../db/database.ts';
import type { UploadRow } from '../../db/tables.ts';
import { listParts } from '../../db/uploads/parts.ts';
import type { Storage } from '../../storage/storage.ts';
import { mrcOf, toStaged } from '../upload-record.ts';
import type { VerifiedParts } from '../verification/verified-parts.ts';
import { hasSectionsAlongZ, partsOfSection } from './section-parts.ts';

/** How far the digest may be behind before senders are slowed, in parts. */
const SLACK_PARTS = 2;

interface PrefixState {
  stored: Uint8Array;
  /** True when the section in the middle has arrived, or does not exist. */
  isSectionEmitted: boolean;
  /** Index of the first part that is missing. */
  next: number;
}

export class ContiguousPrefixes {
  readonly #db: Database;
  readonly #storage: Storage;
  readonly #analyzer: MrcAnalyzer;
  readonly #verified: VerifiedParts;
  readonly #uploads = new Map<string, Promise<PrefixState>>();

  constructor(db: Database, storage: Storage, analyzer: MrcAnalyzer, verified: VerifiedParts) {
    this.#db = db;
    this.#storage = storage;
    this.#analyzer = analyzer;
    this.#verified = verified;
  }

  /**
   * Part `idx` is recorded; lets the digest continue when the prefix has grown, and waits for it when it is behind.
   *
   * @returns the section in the middle of the file, from 0, when this part was the last that it lacked; else null.
   */
  async note(row: UploadRow, idx: number): Promise<number | null> {
    // Its number of parts changes.
    if (row.is_growing) return null;
    let loading = this.#uploads.get(row.id);
    if (!loading) {
      loading = this.#load(row);
      this.#uploads.set(row.id, loading);
      // The next part tries again.
      loading.catch(() => this.forget(row.id));
    }
    const arrived = await loading;
    arrived.stored[idx] = 1;
    const before = arrived.next;
    while (arrived.next < row.part_count && arrived.stored[arrived.next]) arrived.next++;
    if (arrived.next > before) await this.#follow(row, arrived);
    return takeSection(row, arrived);
  }

  /** Lets digest and analysis read up to the first missing part, and waits for the digest. */
  async #follow(row: UploadRow, { stored, next }: PrefixState): Promise<void> {
    const { prefixes } = this.#storage;
    if (!prefixes) return;
    const staged = toStaged(row);
    const prefixBytes = Math.min(next * row.part_size, row.size);
    prefixes.follow(staged, prefixBytes, () => this.#verified.selectOthers(row, (idx) => stored[idx] === 1));
    if (isMrcName(row.filename)) this.#analyzer.follow(row.id, uploadTarget(prefixes, staged), prefixBytes);
    await prefixes.catchUp(row.id, SLACK_PARTS * row.part_size);
  }

  forget(uploadId: string): void {
    this.#uploads.delete(uploadId);
  }

  async #load(row: UploadRow): Promise<PrefixState> {
    const stored = new Uint8Array(row.part_count);
    for (const part of await listParts(this.#db, row.id, 0, row.part_count)) stored[part.idx] = 1;
    // Normally one part was added; more parts mean a restart, and their section was reported before it.
    const arrived: PrefixState = { stored, next: 0, isSectionEmitted: false };
    if (row.received_parts > 1) arrived.isSectionEmitted = takeSection(row, arrived) !== null;
    return arrived;
  }
}

/** The section in the middle, once: when it is complete, and other sections have not arrived. */
function takeSection(row: UploadRow, arrived: PrefixState): number | null {
  if (arrived.isSectionEmitted || !arrived.stored[0]) return null;
  const mrc = mrcOf(row);
  // Sections across Z are ranges of the file only when its sections run along Z.
  if (!mrc || mrc.nz < 2 || !hasSectionsAlongZ(mrc)) {
    arrived.isSectionEmitted = true;
    return null;
  }
  const slice = centralSection(mrc, 'z');
  for (const [first, last] of partsOfSection(mrc, slice, row.part_size)) {
    if (arrived.stored.subarray(first, last + 1).includes(0)) return null;
  }
  arrived.isSectionEmitted = true;
  return slice;
}
