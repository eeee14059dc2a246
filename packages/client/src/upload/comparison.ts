/** Compares the parts that the server has with the file. */
import type { PartReader } from './part-reader.ts';
import type { UploadProgress } from './upload-progress.ts';

/** The server has a part of another file: the upload does not belong to this file. */
export class OtherFileError extends Error {
  readonly part: number;

  constructor(part: number) {
    super(`part ${part} is of another file`);
    this.part = part;
  }
}

/** Reads and compares all parts that the server had before. @throws OtherFileError */
export async function compareFound(
  reader: PartReader,
  progress: UploadProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { ledger } = progress;
  for (;;) {
    signal?.throwIfAborted();
    const idx = ledger.nextFound();
    if (idx === undefined) return;
    const digest = await reader.digest(idx);
    const before = ledger.storedBytes;
    if (!ledger.noteCompared(idx, digest)) throw new OtherFileError(idx);
    progress.resumedBytes += ledger.storedBytes - before;
    progress.reportNowAndThen();
  }
}
