/** The job that signs the receipt of a completed dataset. */
import type { ReceiptContext } from '../receipts/context.ts';
import { issueForCompletion } from '../receipts/issue.ts';
import type { Work } from './queue.ts';

export function receiptWork(context: ReceiptContext): Work {
  return {
    // Nothing of the dataset expires before it has a receipt.
    maxAttempts: Number.MAX_SAFE_INTEGER,
    async run({ file_id }) {
      const outcome = await issueForCompletion(context, file_id);
      if (outcome === 'done') return { status: 'done', detail: {} };
      return { status: 'later', detail: { message: 'The digest of a file is not known yet.' } };
    },
  };
}
