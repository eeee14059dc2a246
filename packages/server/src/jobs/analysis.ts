/** The job that looks at a published MRC file: statistics and pictures. */

import { surveyFile } from '../analysis/file-analysis.ts';
import type { FileRoom } from '../files/files.ts';
import type { Work } from './queue.ts';

export const SURVEY = 'survey';

export function surveyWork(room: FileRoom): Work {
  return {
    maxAttempts: 3,
    async run({ file_id }, signal) {
      await surveyFile(room, file_id, signal);
      return { status: 'done', detail: {} };
    },
  };
}
