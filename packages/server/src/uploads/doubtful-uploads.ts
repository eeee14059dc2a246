/**
 * Uploads whose written bytes the disk failed to keep, until all their parts are invalidated. While one is here, no part of
 * it is acknowledged and it is not completed, whatever its rows say.
 */
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadContext } from './context.ts';
import { invalidateAll } from './invalidation.ts';

/** Before the second try; doubled for each one after it. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export class DoubtfulUploads {
  /** By upload: what waits for the next try; undefined while one is under way. */
  readonly #doubtful = new Map<string, NodeJS.Timeout | undefined>();
  #isStopped = false;

  /** The disk failed to keep bytes of this upload. Tries to invalidate its parts until that is done. */
  note(context: UploadContext, uploadId: string): void {
    if (this.#doubtful.has(uploadId)) return;
    this.#doubtful.set(uploadId, undefined);
    void this.#resolve(context, uploadId, FIRST_WAIT_MS);
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
   * (`PartStore`), so that its parts are found missing; where not even that was possible, no file can be published either.
   */
  stop(context: UploadContext): void {
    this.#isStopped = true;
    for (const [uploadId, timer] of this.#doubtful) {
      clearTimeout(timer);
      context.log.error({ upload_id: uploadId }, 'stopped before the parts of an upload in doubt were invalidated');
    }
  }

  async #resolve(context: UploadContext, uploadId: string, waitMs: number): Promise<void> {
    try {
      await context.attempts.exclude(uploadId, async () => {
        await invalidateAll(context, uploadId);
        this.#doubtful.delete(uploadId);
      });
    } catch (error) {
      if (this.#isStopped) return;
      context.log.error(
        { upload_id: uploadId, err: error },
        'parts that the disk failed to keep not invalidated, will retry',
      );
      const retry = () => void this.#resolve(context, uploadId, Math.min(2 * waitMs, LONGEST_WAIT_MS));
      this.#doubtful.set(uploadId, setTimeout(retry, waitMs).unref());
    }
  }
}
