/**
 * Receiving one part: judged before its body is read, written in place while it is hashed, recorded when all of it is
 * there. Every lane of `http/` ends here.
 */
import { isMrcName } from '@cryolift/mrc';
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES } from '@cryolift/protocol/states';
import { commitPart, findPart } from '../db/parts.ts';
import { findUploadRow } from '../db/sessions.ts';
import type { PartRow, UploadRow } from '../db/tables.ts';
import type { Extent } from '../storage/places.ts';
import { readFreeBytes } from '../storage/space.ts';
import type { PartSink } from '../storage/upload-storage.ts';
import { type AccessScope, lifeOf, type UploadContext } from './context.ts';
import { emitSection } from './early-section.ts';
import { failUpload } from './ending.ts';
import { checkHeader, type HeaderVerdict, NEEDED_HEADER_BYTES } from './header-check.ts';
import { findUpload, uploadNotFound } from './lookup.ts';
import { ReceivedBytes, timeStage } from './meter.ts';
import type { Attempt } from './part-attempts.ts';
import { reverify } from './reverification.ts';
import { progressOf, toStaged } from './upload-record.ts';

/** The last space of a disk is the database's: it records parts, and what is deleted to make room. */
const KEPT_FREE_BYTES = 16 * 1024 * 1024;

export interface PartRequest {
  uploadId: string;
  idx: number;
  /** Content-Length, bytes. */
  lengthBytes: number;
  /** Where the client says that the part begins in the file, bytes; null when it does not say. */
  offsetBytes: number | null;
  /** As the client announced it, or null. */
  sha256: Uint8Array | null;
  requestId: string;
}

/** What to do with the body: nothing, for the answer is known; or feed it to the reception. */
export type PartStart = { kind: 'answered'; receipt: PartReceipt } | { kind: 'receiving'; receiver: PartReceiver };

/** Takes the body of one part. After `write`s, exactly one of `commit` and `abort`. */
export interface PartReceiver {
  /** Takes bytes; the buffer may be reused at once. A promise: wait for it before the next write. */
  write(bytes: Buffer): Promise<void> | undefined;
  /** All bytes have come. @throws UploadError when the part is not stored. */
  commit(): Promise<PartReceipt>;
  /** The body will not be complete. Resolves when nothing of it is being written any more. */
  abort(): Promise<void>;
}

/**
 * Judges everything that needs no body.
 *
 * @throws UploadError as page 7 lists them for parts.
 */
export async function beginPart(context: UploadContext, access: AccessScope, request: PartRequest): Promise<PartStart> {
  const row = await findUpload(context, access, request.uploadId);
  const extent = validateRequest(row, request);
  context.doubtful.assertNone(row.id);
  const known = await answerStored(context, row, request);
  if (known) return known;

  const attempt = await context.attempts.begin(row.id, request.idx);
  try {
    // The older attempt may have committed while we waited for it.
    const meanwhile = await answerStored(context, row, request);
    if (meanwhile) {
      attempt.release();
      return meanwhile;
    }
    context.doubtful.assertNone(row.id);
    await assertSpace(context, extent);
    const sink = await context.storage.uploads.openSink(toStaged(row), extent);
    if (sink === 'lost') {
      // The verification waits for the end of every attempt, of this one, too.
      attempt.release();
      throw await reportLost(context, row);
    }
    return { kind: 'receiving', receiver: new WritingReceiver(context, row, request, attempt, sink) };
  } catch (error) {
    attempt.release();
    throw error;
  }
}

/** @throws UploadError `upload_expired` or `upload_closed` when the upload takes no parts. */
export function assertOpen(row: UploadRow): void {
  if (!OPEN_STATES.includes(row.status)) throw uploadClosed(row);
}

function validateRequest(row: UploadRow, { idx, lengthBytes, offsetBytes }: PartRequest): Extent {
  if (row.status === 'expired') throw new UploadError('upload_expired', 'This upload expired; its parts are gone.');
  if (row.status === 'cancelled' || row.status === 'failed') throw uploadClosed(row);
  if (idx < 0 || idx >= row.part_count) {
    throw new UploadError(
      'part_out_of_range',
      `There is no part ${idx}; this upload has ${row.part_count}, counted from 0.`,
    );
  }
  const extent = partExtent(row.size, row.part_size, idx);
  if (lengthBytes > row.part_size) {
    throw new UploadError(
      'part_too_large',
      `The body has ${lengthBytes} bytes; a part of this upload has ${row.part_size}.`,
    );
  }
  if (lengthBytes !== extent.length) {
    throw new UploadError('part_size_mismatch', `The body has ${lengthBytes} bytes; part ${idx} has ${extent.length}.`);
  }
  if (offsetBytes !== null && offsetBytes !== extent.offset) {
    const message = `Upload-Offset says ${offsetBytes}; part ${idx} begins at ${extent.offset}.`;
    throw new UploadError('invalid_request', message, {
      hint: 'Take part_size from the session; the request may have been damaged.',
    });
  }
  return extent;
}

/** @throws UploadError `insufficient_storage` before the body is read. */
async function assertSpace(context: UploadContext, { length }: Extent): Promise<void> {
  const freeBytes = await readFreeBytes(context.storage);
  if (freeBytes >= length + KEPT_FREE_BYTES) return;
  throw new UploadError('insufficient_storage', `The storage has ${freeBytes} bytes left, which is too little.`);
}

/** What to do when the part is stored already; null when it is not. */
async function answerStored(context: UploadContext, row: UploadRow, request: PartRequest): Promise<PartStart | null> {
  const part = await findPart(context.db, row.id, request.idx);
  if (!part) {
    if (OPEN_STATES.includes(row.status)) return null;
    throw uploadClosed(row);
  }
  if (request.sha256 === null) {
    return { kind: 'receiving', receiver: new ComparingReceiver(context, request, part) };
  }
  return { kind: 'answered', receipt: await compareStored(context, request, part, request.sha256) };
}

async function compareStored(
  context: UploadContext,
  request: PartRequest,
  part: PartRow,
  sha256: Uint8Array,
): Promise<PartReceipt> {
  if (Buffer.compare(sha256, part.sha256) !== 0) {
    throw new UploadError('part_conflict', `Part ${part.idx} is stored with other bytes.`, {
      details: { part: part.idx, stored_sha256: toHex(part.sha256), sent_sha256: toHex(sha256) },
    });
  }
  const row = await findUploadRow(context.db, request.uploadId);
  if (!row) throw uploadNotFound(request.uploadId);
  context.doubtful.assertNone(row.id);
  return toReceipt(row, request, part.sha256, true);
}

/** The part is not there: its bytes go to their place. */
class WritingReceiver implements PartReceiver {
  readonly #context: UploadContext;
  readonly #row: UploadRow;
  readonly #request: PartRequest;
  readonly #attempt: Attempt;
  readonly #sink: PartSink;
  /** The file's first bytes, when this part has them and they are to be judged. */
  readonly #header: Buffer | null;
  #headerBytes = 0;
  readonly #received: ReceivedBytes;

  constructor(context: UploadContext, row: UploadRow, request: PartRequest, attempt: Attempt, sink: PartSink) {
    this.#context = context;
    this.#row = row;
    this.#request = request;
    this.#attempt = attempt;
    this.#sink = sink;
    this.#received = new ReceivedBytes(context.meter);
    const judged = request.idx === 0 && isMrcName(row.filename);
    this.#header = judged ? Buffer.alloc(Math.min(NEEDED_HEADER_BYTES, row.size)) : null;
    attempt.onEnd(() => void sink.abort().then(() => attempt.release()));
  }

  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#header && this.#headerBytes < this.#header.length) {
      const head = bytes.subarray(0, this.#header.length - this.#headerBytes);
      this.#header.set(head, this.#headerBytes);
      this.#headerBytes += head.length;
    }
    this.#received.take(bytes.length);
    if (this.#attempt.ended) return undefined;
    const pending = this.#sink.write(bytes);
    return pending?.catch((error: unknown) => {
      if (!this.#attempt.ended) throw error;
    });
  }

  async commit(): Promise<PartReceipt> {
    this.#received.complete();
    if (!this.#attempt.beginCommit()) return await answerEnded(this.#context, this.#row, this.#request);
    try {
      const { lengthBytes } = this.#request;
      if (this.#received.bytes !== lengthBytes) {
        await this.#sink.abort();
        throw new Error(
          `${this.#received.bytes} of ${lengthBytes} bytes were written when the part was to be committed`,
        );
      }
      const sha256 = await timeStage(this.#context.meter, 'write', () => this.#sink.commit());
      const declared = this.#request.sha256;
      if (declared && Buffer.compare(sha256, declared) !== 0) {
        this.#context.meter.noteVerifyFailures('part', 1);
        throw new UploadError(
          'part_checksum_mismatch',
          `Part ${this.#request.idx} arrived with other bytes than announced.`,
          {
            details: { part: this.#request.idx, expected_sha256: toHex(declared), received_sha256: toHex(sha256) },
          },
        );
      }
      return await this.#record(sha256);
    } finally {
      this.#attempt.release();
    }
  }

  async abort(): Promise<void> {
    this.#received.abandon();
    await this.#sink.abort();
    this.#attempt.release();
  }

  async #record(sha256: Uint8Array): Promise<PartReceipt> {
    const { idx, lengthBytes } = this.#request;
    this.#context.doubtful.assertNone(this.#row.id);
    const header = await this.#checkHeader();
    const now = this.#context.now();
    const part = {
      idx,
      sizeBytes: lengthBytes,
      sha256,
      nowMs: now,
      expiresAtMs: now + lifeOf(this.#context.policy, this.#row.is_trial),
      ...(header ? { header } : {}),
    };
    const outcome = await timeStage(this.#context.meter, 'commit', () =>
      commitPart(this.#context.db, this.#row.id, part),
    );
    switch (outcome.kind) {
      case 'stored':
        // Failed meanwhile, the flush may have been of these bytes.
        this.#context.doubtful.assertNone(this.#row.id);
        this.#context.verified.note(outcome.row, this.#request.idx);
        this.#context.bus.noteParts(outcome.row);
        await this.#note(outcome.row);
        return toReceipt(outcome.row, this.#request, sha256, false);
      case 'exists':
        return await compareStored(this.#context, this.#request, outcome.part, sha256);
      case 'closed':
        throw outcome.row ? uploadClosed(outcome.row) : uploadNotFound(this.#row.id);
    }
  }

  async #note(row: UploadRow): Promise<void> {
    const slice = await this.#context.prefixes.note(row, this.#request.idx);
    if (slice === null) return;
    // The part is stored, whatever becomes of the picture.
    await emitSection(this.#context, row, slice).catch((error: unknown) =>
      this.#context.log.error({ upload_id: row.id, err: error }, 'a section that has arrived could not be told'),
    );
  }

  /** Judged only now, when the digest says that the header is what was sent: a damaged one must not fail the upload. */
  async #checkHeader(): Promise<HeaderVerdict | null> {
    if (!this.#header) return null;
    const { filename, size, force } = this.#row;
    try {
      return checkHeader({ filename, sizeBytes: size, header: this.#header, force: force === 1 });
    } catch (error) {
      if (error instanceof UploadError && error.code === 'invalid_mrc') {
        await failUpload(this.#context, this.#row, error, this.#request.requestId);
      }
      throw error;
    }
  }
}

/** The part is there, and the client announced no digest: its bytes are hashed and compared, nothing is written. */
class ComparingReceiver implements PartReceiver {
  readonly #context: UploadContext;
  readonly #request: PartRequest;
  readonly #part: PartRow;
  readonly #sink: PartSink;
  readonly #received: ReceivedBytes;

  constructor(context: UploadContext, request: PartRequest, part: PartRow) {
    this.#context = context;
    this.#request = request;
    this.#part = part;
    this.#sink = context.storage.openHash();
    this.#received = new ReceivedBytes(context.meter);
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#received.take(bytes.length);
    return this.#sink.write(bytes);
  }

  async commit(): Promise<PartReceipt> {
    this.#received.complete();
    return await compareStored(this.#context, this.#request, this.#part, await this.#sink.commit());
  }

  async abort(): Promise<void> {
    this.#received.abandon();
    await this.#sink.abort();
  }
}

/** The session closed, or another attempt took this one's place: then its outcome is the answer here too. */
async function answerEnded(context: UploadContext, row: UploadRow, request: PartRequest): Promise<PartReceipt> {
  for (;;) {
    const newer = context.attempts.current(row.id, request.idx);
    const part = await findPart(context.db, row.id, request.idx);
    if (part && request.sha256) return await compareStored(context, request, part, request.sha256);
    if (part) throw new UploadError('part_conflict', `Part ${part.idx} was stored by a newer request for it.`);
    if (!newer) {
      const now = await findUploadRow(context.db, row.id);
      if (now && !OPEN_STATES.includes(now.status)) throw uploadClosed(now);
      throw new UploadError('overloaded', 'A newer request for this part took its place and did not finish.', {
        retryAfterSeconds: 1,
      });
    }
    await newer.released;
  }
}

function toReceipt(row: UploadRow, request: PartRequest, sha256: Uint8Array, deduplicated: boolean): PartReceipt {
  return {
    upload_id: row.id,
    part: request.idx,
    size: request.lengthBytes,
    sha256: toHex(sha256),
    deduplicated,
    received_parts: row.received_parts,
    received_bytes: row.received_bytes,
    progress: progressOf(row),
    status: row.status,
  };
}

function uploadClosed(row: UploadRow): UploadError {
  if (row.status === 'expired') return new UploadError('upload_expired', 'This upload expired; its parts are gone.');
  return new UploadError('upload_closed', `This upload takes no parts any more: it is ${row.status}.`, {
    details: { status: row.status },
  });
}

/** Parts are recorded, and the staging file is gone: take the rows back, so that the parts are asked for again. */
async function reportLost(context: UploadContext, row: UploadRow): Promise<UploadError> {
  context.log.error({ upload_id: row.id }, 'the bytes of recorded parts are gone');
  await reverify(context, row);
  return new UploadError(
    'storage_unavailable',
    'The storage lost the parts of this upload; ask what is missing and send it.',
  );
}
