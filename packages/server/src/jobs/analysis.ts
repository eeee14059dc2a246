/** The job that analyzes a published MRC file: statistics and pictures. */

import { analyzeFile } from '../analysis/file-analysis.ts';
import type { FileContext } from '../files/files.ts';
import type { Work } from './queue.ts';

export function analysisWork(context: FileContext): Work {
  return {
    maxAttempts: 3,
    async run({ file_id }, signal) {
      await analyzeFile(context, file_id, signal);
      return { status: 'done', detail: {} };
    },
  };
}
