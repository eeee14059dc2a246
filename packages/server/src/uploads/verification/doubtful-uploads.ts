/**
 * Uploads whose written bytes the disk failed to keep, until all their parts are invalidated. While one is here, no part of
 * it is acknowledged and it is not completed, whatever its rows say.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { PartAttempts } from '../parts/part-attempts.ts';

/** Before the second try; doubled for each one after it. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

interface DoubtfulLog {
  error(fields: Record<string, unknown>, message: string): void;
}

/** Invalidates all parts of an upload. */
type Invalidate = (uploadId: string) => Promise<void>;

export class DoubtfulUploads {
  readonly #attempts: PartAttempts;
  #invalidate: Invalidate | null = null;
  readonly #log: DoubtfulLog;
  /** By upload: what waits for the next try; undefined while one is under way. */
  readonly #doubtful = new Map<string, NodeJS.Timeout | undefined>();
  #isStopped = false;

  constructor(attempts: PartAttempts, log: DoubtfulLog) {
    this.#attempts = attempts;
    this.#log = log;
  }

  /**
   * To be called once, before the first part is received.
   *
   * @param invalidate invalidates all parts of an upload; it is called while nothing else works on the stored bytes.
   */
  start(invalidate: Invalidate): void {
    this.#invalidate = invalidate;
    for (const uploadId of this.#doubtful.keys()) void this.#resolve(invalidate, uploadId, FIRST_WAIT_MS);
  }

  /** The disk failed to keep bytes of this upload. Tries to invalidate its parts until that is done. */
  note(uploadId: string): void {
    if (this.#doubtful.has(uploadId)) return;
    this.#doubtful.set(uploadId, undefined);
    if (this.#invalidate) void this.#resolve(this.#invalidate, uploadId, FIRST_WAIT_MS);
  }

  has(uploadId: string): boolean {
    return this.#doubtful.has(uploadId);
  }

  /** @throws UploadError `storage_unavailable` while the upload is in doubt. */
  assertNone(uploadId: string): void {
    if (!this.has(uploadId)) return;
    const message = 'The storage failed to keep parts of this upload; they are about to be asked for again.';
    throw new UploadError('storage_unavailable', message, { retryAfterSeconds: 1 });
  }

  /**
   * No more tries. What is left is no danger to the next start: the staging file was removed when the flush failed
   * (`Storage`), so that its parts are found missing; where not even that was possible, no file can be published either.
   */
  stop(): void {
    this.#isStopped = true;
    for (const [uploadId, timer] of this.#doubtful) {
      clearTimeout(timer);
      this.#log.error({ upload_id: uploadId }, 'stopped before the parts of an upload in doubt were invalidated');
    }
  }

  async #resolve(invalidate: Invalidate, uploadId: string, waitMs: number): Promise<void> {
    try {
      await this.#attempts.exclude(uploadId, async () => {
        await invalidate(uploadId);
        this.#doubtful.delete(uploadId);
      });
    } catch (error) {
      if (this.#isStopped) return;
      this.#log.error(
        { upload_id: uploadId, err: error },
        'parts that the disk failed to keep not invalidated, will retry',
      );
      const retry = () => void this.#resolve(invalidate, uploadId, Math.min(2 * waitMs, LONGEST_WAIT_MS));
      this.#doubtful.set(uploadId, setTimeout(retry, waitMs).unref());
    }
  }
}
