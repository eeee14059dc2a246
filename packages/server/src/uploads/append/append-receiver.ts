/** Receives the body of an append, and divides it into segments. */
import type { UploadRow } from '../../db/tables.ts';
import { changeAppend } from '../../db/uploads/appends.ts';
import { BytesGone } from '../../storage/errors.ts';
import type { BodyReceiver } from '../body-receiver.ts';
import type { UploadContext } from '../context.ts';
import type { Attempt } from '../parts/part-attempts.ts';
import { reportLost } from '../verification/lost-parts.ts';
import type { AppendRequest } from './append-request.ts';
import { assertMatches } from './body-checksum.ts';
import { grow } from './length.ts';
import { type OpenSegment, openSegment } from './opening.ts';
import { superseded, tooLong } from './refusals.ts';
import type { WrittenSegment } from './segment.ts';
import { planSegment } from './segments.ts';

export class AppendReceiver implements BodyReceiver<number> {
  onStop: ((error: unknown) => void) | null = null;
  /** Called with the offset of the upload when it has grown. */
  onAdvance: ((offset: number) => void) | null = null;
  readonly #context: UploadContext;
  readonly #request: AppendRequest;
  readonly #attempt: Attempt;
  readonly #isCautious: boolean;
  #row: UploadRow;
  /** Where the next byte belongs. */
  #at: number;
  /** The offset after what is recorded. */
  #recorded: number;
  #segment: OpenSegment | null = null;
  /** Written, and waiting for the checksum of the body. */
  readonly #held: WrittenSegment[] = [];
  /** The recording of segments, in order. It may be one behind the writing. */
  #recording: Promise<void> = Promise.resolve();
  /** What runs between two segments. */
  #changing: Promise<void> = Promise.resolve();
  /** Why it takes no more bytes. */
  #stopped: unknown = null;
  #ended: Promise<void> | null = null;

  /** @param stalled appends in a row that ended before a byte was kept. */
  constructor(context: UploadContext, row: UploadRow, request: AppendRequest, attempt: Attempt, stalled: number) {
    this.#context = context;
    this.#row = row;
    this.#request = request;
    this.#attempt = attempt;
    this.#isCautious = stalled > 0;
    this.#at = request.offset;
    this.#recorded = request.offset;
    attempt.onAbort(() => void this.abort());
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#assertRunning();
    this.#context.meter.noteReceived(bytes.length);
    this.#request.checksum?.update(bytes);
    if (!this.#row.is_growing && this.#at + bytes.length > this.#row.size) throw this.#stop(tooLong(this.#row.size));
    const segment = this.#segment;
    if (!segment || bytes.length > segment.missingBytes) return this.#change(segment, bytes);
    this.#at += bytes.length;
    const ready = segment.write(bytes);
    if (!ready) return undefined;
    this.#changing = ready.catch((error: unknown) => {
      this.#stop(error);
    });
    return ready;
  }

  /** @returns the offset of the upload, bytes. */
  async commit(): Promise<number> {
    if (!this.#attempt.beginCommit()) this.#stop(superseded());
    if (this.#stopped) {
      await this.abort();
      throw this.#stopped;
    }
    try {
      await this.#end();
      await this.#recordHeld();
      return this.#recorded;
    } catch (error) {
      await this.#release();
      throw error instanceof BytesGone ? await reportLost(this.#context, this.#row) : error;
    } finally {
      await this.#release();
    }
  }

  async abort(): Promise<void> {
    this.#stop(superseded());
    this.#ended ??= this.#keep();
    await this.#ended;
  }

  async #recordHeld(): Promise<void> {
    assertMatches(this.#context.meter, this.#request.checksum);
    // One that fails leaves the others to `#release`.
    for (let written = this.#held.shift(); written; written = this.#held.shift()) await this.#record(written);
  }

  /** What has arrived is kept, unless a checksum covers it. */
  async #keep(): Promise<void> {
    await this.#changing;
    await this.#end().catch((error: unknown) =>
      this.#context.log.warn({ upload_id: this.#row.id, err: error }, 'the last bytes of an append were not kept'),
    );
    // A storage that keeps pieces at their place keeps what has arrived.
    const isInPlace = this.#context.storage.pieces.maxBytes === null;
    const isStalled = this.#recorded === this.#request.offset && this.#at > this.#request.offset;
    if (isStalled && !isInPlace) await this.#noteStalled(1).catch(() => {});
    await this.#release();
    if (!(this.#stopped instanceof BytesGone)) return;
    await reportLost(this.#context, this.#row).catch((error: unknown) =>
      this.#context.log.error({ upload_id: this.#row.id, err: error }, 'lost parts not verified again'),
    );
  }

  /** Ends the segment, opens the next one, and writes to it. @param bytes in memory that is reused at once. */
  #change(segment: OpenSegment | null, bytes: Buffer): Promise<void> {
    const own = Buffer.from(bytes);
    this.#changing = this.#fill(segment, own).catch((error: unknown) => {
      this.#stop(error);
    });
    return this.#changing.then(() => this.#assertRunning());
  }

  async #fill(open: OpenSegment | null, bytes: Buffer): Promise<void> {
    let segment = open;
    for (let done = 0; done < bytes.length; ) {
      if (!segment || segment.missingBytes === 0) {
        await this.#endSegment();
        segment = await this.#open();
      }
      const some = bytes.subarray(done, done + segment.missingBytes);
      this.#at += some.length;
      done += some.length;
      await segment.write(some);
      if (this.#stopped) throw this.#stopped;
    }
  }

  async #open(): Promise<OpenSegment> {
    const { offset, lengthBytes, requestId } = this.#request;
    const left = lengthBytes === null ? null : offset + lengthBytes - this.#at;
    const isCautious = this.#isCautious && this.#at === offset;
    const plan = planSegment(this.#row, this.#context.storage.pieces, this.#at, left, isCautious);
    // Of a body whose length is not known, one segment at a time.
    this.#row = await grow(this.#context, this.#row, this.#at + (left === null ? plan.length : 0));
    const hasBytes = this.#at > 0;
    const isChecked = this.#request.checksum !== null;
    const opened = await openSegment(this.#context, this.#row, plan, { hasBytes, isChecked, requestId });
    this.#row = opened.row;
    this.#segment = opened.segment;
    return opened.segment;
  }

  /** The segment is full, or the body has ended. */
  async #endSegment(): Promise<void> {
    const segment = this.#segment;
    this.#segment = null;
    if (!segment) return;
    const written = await segment.end();
    if (!written) return;
    if (this.#request.checksum) {
      this.#held.push(written);
      return;
    }
    const before = this.#recording;
    this.#recording = before.then(
      () => this.#record(written),
      (error: unknown) => {
        written.drop();
        throw error;
      },
    );
    this.#recording.catch((error: unknown) => this.#stop(error));
    await before;
  }

  async #record(written: WrittenSegment): Promise<void> {
    await written.record();
    if (this.#recorded === this.#request.offset && this.#isCautious) await this.#noteStalled(0);
    this.#recorded += written.length;
    this.onAdvance?.(this.#recorded);
  }

  async #end(): Promise<void> {
    await this.#endSegment();
    await this.#recording;
  }

  async #noteStalled(stalled: number): Promise<void> {
    await changeAppend(this.#context.db, this.#row.id, { stalled });
  }

  async #release(): Promise<void> {
    for (const written of this.#held.splice(0)) written.drop();
    await this.#segment?.abort();
    this.#segment = null;
    await this.#recording.catch(() => {});
    this.#attempt.release();
  }

  #stop(error: unknown): unknown {
    if (!this.#stopped) {
      this.#stopped = error;
      this.onStop?.(error);
    }
    return this.#stopped;
  }

  #assertRunning(): void {
    if (this.#stopped) throw this.#stopped;
  }
}
