/** The statistics of a file, as soon as its analysis has finished. */
import type { Statistics } from '@cryolift/protocol/messages';
import { ANALYSIS_JOB } from '../analysis-job.ts';
import { findFile } from '../db/files.ts';
import { findJob } from '../db/jobs.ts';
import type { Bus } from '../events/bus.ts';
import { type FileContext, fileNotFound } from '../files/files.ts';
import type { StoredFile } from '../files/stored-file.ts';

/** The end of a job emits no event, so it is polled. */
const POLL_MS = 1_000;

/**
 * @param ms the longest wait for a running analysis.
 * @returns null when the file is not MRC, its voxels cannot be read, or the analysis failed.
 */
export async function waitForStatistics(
  context: Pick<FileContext, 'db'> & { readonly bus: Bus },
  asked: StoredFile,
  ms: number,
): Promise<Statistics | null | 'late'> {
  const untilMs = performance.now() + ms;
  let wake = (): void => {};
  const unlisten = context.bus.listen(
    { uploadId: asked.uploadId },
    { notifyChange: () => wake(), noteParts: () => {} },
  );
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const row = await findFile(context.db, asked.id);
      if (!row) throw fileNotFound(asked.id);
      if (row.statistics !== null) return JSON.parse(row.statistics) as Statistics | null;
      const job = await findJob(context.db, row.id, ANALYSIS_JOB);
      if (job?.status !== 'waiting' && job?.status !== 'running') return null;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return 'late';
      await Promise.race([changed, pause(Math.min(POLL_MS, leftMs))]);
    }
  } finally {
    unlisten();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
