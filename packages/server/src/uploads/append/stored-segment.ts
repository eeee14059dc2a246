/** Bytes of an append that are stored already: they are compared, and not written. */
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartRow, UploadRow } from '../../db/tables.ts';
import type { PartSink } from '../../storage/upload-storage.ts';
import type { UploadContext } from '../context.ts';
import type { WrittenSegment } from './segment.ts';
import { extentOfPart, type SegmentPlan } from './segments.ts';

export class StoredSegment {
  readonly #part: PartRow;
  readonly #sink: PartSink;
  readonly #isWhole: boolean;
  readonly isAborted = false;
  #length: number;
  #bytes = 0;

  constructor({ storage }: UploadContext, row: UploadRow, plan: SegmentPlan, part: PartRow) {
    this.#part = part;
    this.#sink = storage.openHash();
    this.#length = plan.length;
    this.#isWhole = plan.length === extentOfPart(row, plan.idx).length;
  }

  get missingBytes(): number {
    return this.#length - this.#bytes;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#bytes += bytes.length;
    return this.#sink.write(bytes);
  }

  /** @throws UploadError `part_conflict`. */
  async end(): Promise<WrittenSegment> {
    const { sha256 } = await this.#sink.commit();
    // Some bytes of a part are not compared: the digest of the whole file is.
    if (this.#isWhole && this.missingBytes === 0 && Buffer.compare(sha256, this.#part.sha256) !== 0) {
      throw new UploadError('part_conflict', `Part ${this.#part.idx} is stored with other bytes.`, {
        details: {
          part: this.#part.idx,
          stored_sha256: toHex(this.#part.sha256),
          sent_sha256: toHex(sha256),
        },
      });
    }
    return { length: this.#bytes, record: async () => {}, drop: () => {} };
  }

  async abort(): Promise<void> {
    await this.#sink.abort();
  }
}
