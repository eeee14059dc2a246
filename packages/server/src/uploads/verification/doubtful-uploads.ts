/**
 * Uploads whose written bytes the disk has lost, until all their parts are invalidated. Meanwhile no part of such an
 * upload is acknowledged, and it is not completed.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { Attempts } from '../parts/part-attempts.ts';

/** Before the second try; doubled for each one after it. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

interface DoubtfulLog {
  error(fields: Record<string, unknown>, message: string): void;
}

interface Work {
  readonly attempts: Pick<Attempts, 'exclude'>;
  /** Invalidates all parts of an upload; it is called with exclusive use of the stored bytes. */
  invalidate(uploadId: string): Promise<void>;
}

export class DoubtfulUploads {
  /** Null before the start. */
  #work: Work | null = null;
  readonly #log: DoubtfulLog;
  /** By upload: the timer of the next attempt; undefined during an attempt. */
  readonly #doubtful = new Map<string, NodeJS.Timeout | undefined>();
  #isStopped = false;

  constructor(log: DoubtfulLog) {
    this.#log = log;
  }

  /** To be called once, before the first part is received. */
  start(work: Work): void {
    this.#work = work;
    for (const uploadId of this.#doubtful.keys()) void this.#resolve(work, uploadId, FIRST_WAIT_MS);
  }

  /** The disk has lost bytes of this upload. Repeats the invalidation of its parts until it succeeds. */
  note(uploadId: string): void {
    if (this.#doubtful.has(uploadId)) return;
    this.#doubtful.set(uploadId, undefined);
    if (this.#work) void this.#resolve(this.#work, uploadId, FIRST_WAIT_MS);
  }

  has(uploadId: string): boolean {
    return this.#doubtful.has(uploadId);
  }

  /** @throws UploadError `storage_unavailable` while the upload is in doubt. */
  assertNone(uploadId: string): void {
    if (!this.has(uploadId)) return;
    const message = 'The storage lost parts of this upload; they must be sent again.';
    throw new UploadError('storage_unavailable', message, { retryAfterSeconds: 1 });
  }

  /**
   * Ends the attempts. The next start is safe: the staging file was removed when the flush failed (`Storage`), so that
   * its parts are found missing; if it could not be removed, no file can be published either.
   */
  stop(): void {
    this.#isStopped = true;
    for (const [uploadId, timer] of this.#doubtful) {
      clearTimeout(timer);
      this.#log.error({ upload_id: uploadId }, 'stopped before the parts of an upload in doubt were invalidated');
    }
  }

  async #resolve(work: Work, uploadId: string, waitMs: number): Promise<void> {
    try {
      await work.attempts.exclude(uploadId, async () => {
        await work.invalidate(uploadId);
        this.#doubtful.delete(uploadId);
      });
    } catch (error) {
      if (this.#isStopped) return;
      this.#log.error(
        { upload_id: uploadId, err: error },
        'parts that the disk lost could not be invalidated; will retry',
      );
      const retry = () => void this.#resolve(work, uploadId, Math.min(2 * waitMs, LONGEST_WAIT_MS));
      this.#doubtful.set(uploadId, setTimeout(retry, waitMs).unref());
    }
  }
}
