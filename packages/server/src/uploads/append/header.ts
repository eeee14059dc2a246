/** The first bytes of an appended MRC or TIFF file, which are checked as soon as they are there. */
import type { UploadRow } from '../../db/tables.ts';
import { changeAppend } from '../../db/uploads/appends.ts';
import type { UploadContext } from '../context.ts';
import {
  checkHeader,
  checkHeaderAlone,
  type HeaderVerdict,
  hasCheckedHeader,
  NEEDED_HEADER_BYTES,
} from '../parts/header-check.ts';
import { failIfRefused } from '../parts/header-refusal.ts';

/** Collects the first bytes of a file. */
export class HeaderReader {
  readonly #buffer: Buffer;
  #filled = 0;

  private constructor(bytes: number) {
    this.#buffer = Buffer.alloc(bytes);
  }

  /** @returns null when the header of the file is not checked. */
  static for(row: UploadRow): HeaderReader | null {
    if (!hasCheckedHeader(row.filename) || row.is_partial) return null;
    return new HeaderReader(row.is_growing ? NEEDED_HEADER_BYTES : Math.min(NEEDED_HEADER_BYTES, row.size));
  }

  write(bytes: Uint8Array): void {
    const taken = bytes.subarray(0, this.#buffer.length - this.#filled);
    this.#buffer.set(taken, this.#filled);
    this.#filled += taken.length;
  }

  get isComplete(): boolean {
    return this.#filled === this.#buffer.length;
  }

  get bytes(): Buffer {
    return this.#buffer;
  }
}

/**
 * Checks the header, also while the length of the file is not known: then again when it is.
 *
 * @param header the first bytes of the file, as many as the check needs.
 * @throws UploadError `invalid_mrc`: the upload has failed.
 */
export async function validateHeader(
  context: UploadContext,
  row: UploadRow,
  header: Buffer,
  requestId: string,
): Promise<HeaderVerdict | null> {
  const question = { filename: row.filename, header, force: row.force === 1 };
  if (!row.is_growing) {
    return await failIfRefused(context, row, requestId, () => checkHeader({ ...question, sizeBytes: row.size }));
  }
  const verdict = await failIfRefused(context, row, requestId, () => checkHeaderAlone(question));
  await changeAppend(context.db, row.id, { header });
  return verdict;
}
