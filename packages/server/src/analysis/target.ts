/** Stored bytes that are, or will be, an MRC file. */
import type { MrcOverrides, Tilts } from '@cryolift/mrc';
import type { FilePlace, StagedUpload } from '../storage/places.ts';
import type { StagedReader, Storage } from '../storage/storage.ts';

export interface AnalysisTarget {
  /** As `openByteSource` takes it. */
  url: string;
  sizeBytes: number;
  /** Its extension is evidence for stack or volume. */
  filename: string;
  /** Values from its metadata. */
  overrides?: MrcOverrides | undefined;
  /** The tilt angles of its `.mdoc` file. */
  tilts?: Tilts | null | undefined;
}

export async function fileTarget(storage: Storage, file: FilePlace): Promise<AnalysisTarget> {
  const { sizeBytes, filename, overrides } = file;
  return { url: await storage.files.sourceUrl(file), sizeBytes, filename, overrides };
}

export function uploadTarget(staged: StagedReader, upload: StagedUpload): AnalysisTarget {
  const { sizeBytes, filename, overrides } = upload;
  return { url: staged.locate(upload.id), sizeBytes, filename, overrides };
}
