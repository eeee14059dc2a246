/**
 * Appends whole parts at any border of parts. Several such appends to one upload run at once; a newer one ends an older
 * one only in the parts that both have.
 */
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadRow } from '../../db/tables.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { BodyReceiver } from '../body-receiver.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { assertOpen } from '../parts/part-request.ts';
import { reportLost } from '../verification/lost-parts.ts';
import type { AppendRequest } from './append-request.ts';
import { assertMatches } from './body-checksum.ts';
import { type OpenSegment, openSegment } from './opening.ts';
import { superseded } from './refusals.ts';
import type { WrittenSegment } from './segment.ts';
import { findAppended } from './state.ts';

/** An append whose length is known. */
export type ParallelRequest = AppendRequest & { readonly lengthBytes: number };

/**
 * @param request begins and ends at borders of parts of an upload in parallel mode.
 * @throws UploadError `upload_not_found`, `upload_closed`, `upload_expired`.
 */
export async function beginParallelAppend(
  context: UploadContext,
  access: AccessScope,
  request: ParallelRequest,
): Promise<BodyReceiver<void>> {
  const row = await findAppended(context, access, request.uploadId);
  assertOpen(row);
  context.doubtful.assertNone(row.id);
  return new ParallelReceiver(context, row, request);
}

/** Of an append that is cut off, the parts that have arrived whole are kept. */
class ParallelReceiver implements BodyReceiver<void> {
  readonly #context: UploadContext;
  readonly #row: UploadRow;
  readonly #request: ParallelRequest;
  /** Where the next byte belongs. */
  #at: number;
  #segment: OpenSegment | null = null;
  /** Written, and waiting for the checksum of the body. */
  readonly #held: WrittenSegment[] = [];
  /** The write that runs. */
  #writing: Promise<void> = Promise.resolve();

  constructor(context: UploadContext, row: UploadRow, request: ParallelRequest) {
    this.#context = context;
    this.#row = row;
    this.#request = request;
    this.#at = request.offset;
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#context.meter.noteReceived(bytes.length);
    this.#request.checksum?.update(bytes);
    const segment = this.#segment;
    if (segment && bytes.length < segment.missingBytes) {
      this.#at += bytes.length;
      if (segment.isAborted) throw superseded();
      return segment.write(bytes)?.catch((error: unknown) => this.#fail(error));
    }
    // The memory is reused at once.
    this.#writing = this.#fill(Buffer.from(bytes)).catch((error: unknown) => this.#fail(error));
    return this.#writing;
  }

  async commit(): Promise<void> {
    try {
      assertMatches(this.#context.meter, this.#request.checksum);
      for (let written = this.#held.shift(); written; written = this.#held.shift()) await written.record();
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#release();
  }

  async #release(): Promise<void> {
    for (const written of this.#held.splice(0)) written.drop();
    const segment = this.#segment;
    this.#segment = null;
    await segment?.abort();
  }

  /** @throws the error; for a place that is gone, the answer to it. */
  async #fail(error: unknown): Promise<never> {
    if (this.#segment?.isAborted) throw superseded();
    if (!(error instanceof BytesGone)) throw error;
    // The verification waits for the end of every attempt.
    await this.#release();
    throw await reportLost(this.#context, this.#row);
  }

  async #fill(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const segment = this.#segment ?? (await this.#open());
      const some = bytes.subarray(done, done + segment.missingBytes);
      this.#at += some.length;
      done += some.length;
      if (segment.isAborted) throw superseded();
      await segment.write(some);
      if (segment.missingBytes === 0) await this.#endSegment(segment);
    }
  }

  async #open(): Promise<OpenSegment> {
    const { size, part_size } = this.#row;
    const idx = this.#at / part_size;
    const plan = { idx, ...partExtent(size, part_size, idx), isPart: true };
    const { checksum, requestId } = this.#request;
    const options = { hasBytes: false, isChecked: checksum !== null, requestId };
    const { segment } = await openSegment(this.#context, this.#row, plan, options);
    this.#segment = segment;
    return segment;
  }

  /** All bytes of the part are there. */
  async #endSegment(segment: OpenSegment): Promise<void> {
    this.#segment = null;
    const written = await segment.end();
    if (!written) throw superseded();
    if (this.#request.checksum) this.#held.push(written);
    else await written.record();
  }
}
