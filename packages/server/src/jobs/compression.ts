/** The job that compresses the bytes of a movie. */
import { compressFile } from '../files/compression.ts';
import type { FileContext } from '../files/files.ts';
import { BytesDamaged } from '../storage/errors.ts';
import type { FileCompressor } from '../storage/file-compressor.ts';
import type { Work } from './queue.ts';

/** Space becomes free when somebody deletes files. */
const LATER_MS = 3_600_000;
/** A storage that is full or away is waited for, for days. */
const MAX_ATTEMPTS = 100;

export function compressionWork(context: FileContext, compressor: FileCompressor): Work {
  return {
    maxAttempts: MAX_ATTEMPTS,
    async run({ file_id }, signal) {
      try {
        const outcome = await compressFile(context, compressor, file_id, signal);
        if (outcome.kind === 'compressed') return { status: 'done', detail: { stored_bytes: outcome.sizeBytes } };
        const detail = { message: outcome.reason };
        if (outcome.kind === 'unchanged') return { status: 'done', detail };
        return { status: 'later', detail, afterMs: LATER_MS };
      } catch (error) {
        // Compressing it again would not help. The original stays.
        if (error instanceof BytesDamaged) return { status: 'failed', detail: { message: error.message } };
        throw error;
      }
    },
  };
}
