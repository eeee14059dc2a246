/** The bytes of an append that go into one part, while they arrive. */
import type { Guard } from '../../db/database.ts';
import { lockLease } from '../../db/leases.ts';
import type { UploadRow } from '../../db/tables.ts';
import { commitPiece } from '../../db/uploads/pieces.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import { betweenSteps } from '../../durable-step.ts';
import type { CommittedPart, PartSink } from '../../storage/upload-storage.ts';
import { lifeOf, type UploadContext } from '../context.ts';
import { uploadNotFound } from '../lookup.ts';
import type { HeaderVerdict } from '../parts/header-check.ts';
import { timeStage } from '../parts/meter.ts';
import type { Attempt } from '../parts/part-attempts.ts';
import { recordPart } from '../parts/part-record.ts';
import { uploadClosed } from '../parts/part-request.ts';
import { HeaderReader, validateHeader } from './header.ts';
import { joinPieces } from './join.ts';
import { leaseLost, superseded } from './refusals.ts';
import { extentOfPart, type SegmentPlan } from './segments.ts';

/** Written and hashed, and not recorded. */
export interface WrittenSegment {
  readonly length: number;
  record(): Promise<void>;
  /** Its bytes do not count. */
  drop(): void;
}

interface SegmentParts {
  readonly attempt: Attempt;
  readonly sink: PartSink;
  /** A checksum covers the bytes: they may have been damaged in transit. */
  readonly isChecked: boolean;
  readonly requestId: string;
}

export class Segment {
  readonly #context: UploadContext;
  readonly #row: UploadRow;
  readonly #plan: SegmentPlan;
  readonly #attempt: Attempt;
  readonly #sink: PartSink;
  readonly #requestId: string;
  readonly #isChecked: boolean;
  readonly #header: HeaderReader | null;
  #bytes = 0;

  constructor(
    context: UploadContext,
    row: UploadRow,
    plan: SegmentPlan,
    { attempt, sink, isChecked, requestId }: SegmentParts,
  ) {
    this.#context = context;
    this.#row = row;
    this.#plan = plan;
    this.#attempt = attempt;
    this.#sink = sink;
    this.#requestId = requestId;
    this.#isChecked = isChecked;
    this.#header = plan.offset === 0 ? HeaderReader.for(row) : null;
    // By work that needs the stored bytes for itself.
    attempt.onAbort(() => void sink.abort().then(() => attempt.release()));
  }

  /** Other work has taken the part over: no byte is written any more. */
  get isAborted(): boolean {
    return this.#attempt.aborted;
  }

  /** Bytes of the segment that have not arrived. */
  get missingBytes(): number {
    return this.#plan.length - this.#bytes;
  }

  /** @param bytes at most `missingBytes`. */
  write(bytes: Buffer): Promise<void> | undefined {
    this.#bytes += bytes.length;
    const ready = this.#sink.write(bytes);
    if (!this.#header || this.#header.isComplete) return ready;
    this.#header.write(bytes);
    if (this.#isChecked || !this.#header.isComplete) return ready;
    return Promise.all([ready, this.#checkHeader()]).then(() => {});
  }

  /** No more bytes come. @returns null when nothing can be kept of them. @throws UploadError, BytesGone. */
  async end(): Promise<WrittenSegment | null> {
    const isShort = this.missingBytes > 0;
    if (this.#bytes === 0 || (isShort && this.#plan.isPart && !this.#isInPlace)) {
      await this.abort();
      return null;
    }
    try {
      if (!this.#attempt.beginCommit()) throw superseded();
      if (!(await this.#attempt.isConfirmed())) throw leaseLost();
      const written = await timeStage(this.#context.meter, 'write', () => this.#sink.commit());
      return { length: this.#bytes, record: () => this.#record(written), drop: () => this.#attempt.release() };
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  async abort(): Promise<void> {
    await this.#sink.abort();
    this.#attempt.release();
  }

  get #isInPlace(): boolean {
    return this.#context.storage.pieces.maxBytes === null;
  }

  async #record(written: CommittedPart): Promise<void> {
    try {
      this.#context.doubtful.assertNone(this.#row.id);
      const header = await this.#checkHeader();
      const { idx, isPart } = this.#plan;
      if (isPart && this.missingBytes === 0) {
        const part = { uploadId: this.#row.id, idx, lengthBytes: this.#bytes };
        const stored = { ...written, isHashed: true, lease: this.#attempt.lease };
        if ((await recordPart(this.#context, this.#row, part, stored, header)) === 'lease_lost') throw leaseLost();
        this.#context.meter.notePart({ bytes: this.#bytes, deduplicated: false });
        return;
      }
      await this.#recordPiece(written, header);
      betweenSteps('append.piece-recorded');
      if (this.#isEndOfPart) await joinPieces(this.#context, this.#row, idx, this.#attempt, this.#requestId);
    } finally {
      this.#attempt.release();
    }
  }

  /** @throws UploadError `invalid_mrc`. */
  async #checkHeader(): Promise<HeaderVerdict | null> {
    if (!this.#header?.isComplete) return null;
    return await validateHeader(this.#context, this.#row, this.#header.bytes, this.#requestId);
  }

  /** The part has all of its bytes. */
  get #isEndOfPart(): boolean {
    if (this.#row.is_partial) return false;
    const { offset, length } = extentOfPart(this.#row, this.#plan.idx);
    return this.#plan.offset + this.#bytes === offset + length;
  }

  async #recordPiece({ sha256, receipt }: CommittedPart, header: HeaderVerdict | null): Promise<void> {
    const { db, policy } = this.#context;
    const row = this.#row;
    const nowMs = this.#context.now();
    betweenSteps('append.piece-stored');
    const piece = { upload_id: row.id, offset: this.#plan.offset, length: this.#bytes, sha256, receipt };
    const changes = { updated_at: nowMs, expires_at: nowMs + lifeOf(policy, row.is_trial), ...header };
    if (await commitPiece(db, piece, changes, guardOf(this.#attempt))) return;
    const now = await findUploadRow(db, row.id);
    throw now ? uploadClosed(now) : uploadNotFound(row.id);
  }
}

function guardOf({ lease }: Attempt): Guard {
  return async (tx) => {
    if (lease && !(await lockLease(tx, lease))) throw leaseLost();
  };
}
