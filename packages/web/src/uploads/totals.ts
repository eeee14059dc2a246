/** All uploads of the page in a few numbers. */
import { isActive, type Upload } from './upload.ts';

interface Totals {
  readonly files: number;
  readonly doneFiles: number;
  readonly activeFiles: number;
  readonly storedBytes: number;
  readonly totalBytes: number;
  /** Of those that are under way. */
  readonly leftBytes: number;
}

/** Refused and failed ones count as little as if nobody had dropped them. */
export function sumUp(uploads: readonly Upload[]): Totals {
  const totals = { files: 0, doneFiles: 0, activeFiles: 0, storedBytes: 0, totalBytes: 0, leftBytes: 0 };
  for (const upload of uploads) {
    if (upload.state === 'refused' || upload.state === 'failed' || upload.state === 'ending') continue;
    const storedBytes = upload.state === 'done' ? upload.sizeBytes : (upload.arrived?.storedBytes ?? 0);
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
