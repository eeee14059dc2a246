/** Totals of all uploads on the page. */
import { isActive, type Upload } from '../uploads/upload.ts';
import { traitsOf } from '../uploads/upload-states.ts';

interface Totals {
  readonly files: number;
  readonly doneFiles: number;
  readonly activeFiles: number;
  readonly storedBytes: number;
  readonly totalBytes: number;
  /** Bytes of active uploads that are not stored yet. */
  readonly leftBytes: number;
}

export function sumUp(uploads: readonly Upload[]): Totals {
  const totals = { files: 0, doneFiles: 0, activeFiles: 0, storedBytes: 0, totalBytes: 0, leftBytes: 0 };
  for (const upload of uploads) {
    if (!traitsOf(upload.state).isCounted) continue;
    const storedBytes = upload.state === 'done' ? upload.sizeBytes : (upload.received?.storedBytes ?? 0);
    totals.files++;
    totals.totalBytes += upload.sizeBytes;
    totals.storedBytes += storedBytes;
    if (upload.state === 'done') totals.doneFiles++;
    if (!isActive(upload)) continue;
    totals.activeFiles++;
    totals.leftBytes += upload.sizeBytes - storedBytes;
  }
  return totals;
}
