/**
 * Receives the body of one part: the bytes are written at their offset while they are hashed, and recorded when all
 * have arrived.
 */
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type { PartReceipt } from '@cryolift/protocol/messages';
import type { PartRow, UploadRow } from '../../db/tables.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { CommittedPart, PartSink } from '../../storage/upload-storage.ts';
import type { BodyReceiver } from '../body-receiver.ts';
import type { UploadContext } from '../context.ts';
import { reportLost } from '../verification/lost-parts.ts';
import { checkHeader, type HeaderVerdict, hasCheckedHeader, NEEDED_HEADER_BYTES } from './header-check.ts';
import { failIfRefused } from './header-refusal.ts';
import { timeStage, type UploadMeter } from './meter.ts';
import type { Attempt } from './part-attempts.ts';
import { answerSuperseded, compareStored } from './part-receipt.ts';
import { recordPart } from './part-record.ts';
import type { PartRequest } from './part-request.ts';

export type PartReceiver = BodyReceiver<PartReceipt>;

/** For a part that is not stored: writes its bytes at their offset. */
export class WritingReceiver implements PartReceiver {
  readonly #context: UploadContext;
  readonly #row: UploadRow;
  readonly #request: PartRequest;
  readonly #attempt: Attempt;
  readonly #sink: PartSink;
  /** The file's first bytes, when this part has them and they are to be checked. */
  readonly #header: Buffer | null;
  #headerBytes = 0;
  /** The place of the upload is gone. */
  #isLost = false;
  readonly #received: ReceivedBytes;

  constructor(context: UploadContext, row: UploadRow, request: PartRequest, attempt: Attempt, sink: PartSink) {
    this.#context = context;
    this.#row = row;
    this.#request = request;
    this.#attempt = attempt;
    this.#sink = sink;
    this.#received = new ReceivedBytes(context.meter);
    const isChecked = request.idx === 0 && hasCheckedHeader(row.filename);
    this.#header = isChecked ? Buffer.alloc(Math.min(NEEDED_HEADER_BYTES, row.size)) : null;
    attempt.onAbort(() => void sink.abort().then(() => attempt.release()));
  }

  write(bytes: Buffer): Promise<void> | undefined {
    if (this.#header && this.#headerBytes < this.#header.length) {
      const head = bytes.subarray(0, this.#header.length - this.#headerBytes);
      this.#header.set(head, this.#headerBytes);
      this.#headerBytes += head.length;
    }
    this.#received.write(bytes.length);
    if (this.#attempt.aborted) return undefined;
    try {
      return this.#sink.write(bytes)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  async commit(): Promise<PartReceipt> {
    this.#received.commit();
    if (!this.#attempt.beginCommit()) return await answerSuperseded(this.#context, this.#row, this.#request);
    try {
      // The storage keeps the part with its last bytes.
      return (await this.#attempt.isConfirmed()) ? await this.#store() : await this.#answerLost();
    } catch (error) {
      if (!(error instanceof BytesGone)) throw error;
      // The verification waits for the end of every attempt, of this one, too.
      this.#attempt.release();
      throw await reportLost(this.#context, this.#row);
    } finally {
      this.#attempt.release();
    }
  }

  /** Another server has the lease of the part. */
  async #answerLost(): Promise<PartReceipt> {
    await this.#sink.abort();
    this.#attempt.release();
    return await answerSuperseded(this.#context, this.#row, this.#request);
  }

  /** Writes what is left, compares the digest and records the part. @throws BytesGone, UploadError. */
  async #store(): Promise<PartReceipt> {
    const { lengthBytes } = this.#request;
    if (this.#received.bytes !== lengthBytes) {
      await this.#sink.abort();
      throw new Error(`${this.#received.bytes} of ${lengthBytes} bytes were written when the part was to be committed`);
    }
    const committed = await timeStage(this.#context.meter, 'write', () => this.#sink.commit());
    const { sha256 } = committed;
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
    return await this.#record(committed);
  }

  async abort(): Promise<void> {
    this.#received.abort();
    await this.#sink.abort();
    this.#attempt.release();
    if (!this.#isLost) return;
    await reportLost(this.#context, this.#row).catch((error: unknown) =>
      this.#context.log.error({ upload_id: this.#row.id, err: error }, 'lost parts not verified again'),
    );
  }

  /** A write has failed. @throws the error, unless a newer attempt has replaced this one. */
  #fail(error: unknown): void {
    if (this.#attempt.aborted) return;
    if (error instanceof BytesGone) this.#isLost = true;
    throw error;
  }

  async #record(committed: CommittedPart): Promise<PartReceipt> {
    this.#context.doubtful.assertNone(this.#row.id);
    const header = await this.#checkHeader();
    const stored = { ...committed, isHashed: true, lease: this.#attempt.lease };
    const receipt = await recordPart(this.#context, this.#row, this.#request, stored, header);
    return receipt === 'lease_lost' ? await this.#answerLost() : receipt;
  }

  /** Checked only after the digest: a header that was damaged in transit must not fail the upload. */
  async #checkHeader(): Promise<HeaderVerdict | null> {
    if (!this.#header) return null;
    const { filename, size, force } = this.#row;
    const question = { filename, sizeBytes: size, header: this.#header, force: force === 1 };
    return await failIfRefused(this.#context, this.#row, this.#request.requestId, () => checkHeader(question));
  }
}

/** The part is stored, and the client announced no digest: the bytes are hashed and compared, and not written. */
export class ComparingReceiver implements PartReceiver {
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
    this.#received.write(bytes.length);
    return this.#sink.write(bytes);
  }

  async commit(): Promise<PartReceipt> {
    this.#received.commit();
    return await compareStored(this.#context, this.#request, this.#part, (await this.#sink.commit()).sha256);
  }

  async abort(): Promise<void> {
    this.#received.abort();
    await this.#sink.abort();
  }
}

/** Counts and times the bytes of one body. */
class ReceivedBytes {
  readonly #meter: UploadMeter;
  #startedMs = 0;
  #bytes = 0;

  constructor(meter: UploadMeter) {
    this.#meter = meter;
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(count: number): void {
    if (this.#bytes === 0) this.#startedMs = performance.now();
    this.#bytes += count;
  }

  /** The body is complete. */
  commit(): void {
    this.#meter.noteReceived(this.#bytes);
    this.#meter.noteStage('receive', (performance.now() - this.#startedMs) / 1000);
  }

  /** The body ends before it is complete. */
  abort(): void {
    this.#meter.noteReceived(this.#bytes);
  }
}
