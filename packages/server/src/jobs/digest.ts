/** The job that computes the SHA-256 of a file in a storage that has to read it for that. */
import type { FileContext } from '../files/files.ts';
import { digestFile } from '../files/late-digest.ts';
import type { Work } from './queue.ts';

export function digestWork(context: FileContext): Work {
  return {
    maxAttempts: 10,
    async run({ file_id }, signal) {
      const outcome = await digestFile(context, file_id, signal);
      if (outcome !== 'damaged') return { status: 'done', detail: {} };
      return { status: 'failed', detail: { message: 'The stored bytes are not those that were acknowledged.' } };
    },
  };
}
