import type { StagedName } from '../../storage/places.ts';
import type { UploadContext } from '../context.ts';

/** Frees the staged bytes of an upload; the space is free on return. No sink of it may be open. Safe to repeat. */
export async function discardStaged(
  { storage, analyzer }: Pick<UploadContext, 'storage' | 'analyzer'>,
  upload: StagedName,
): Promise<void> {
  await analyzer.forget(upload.id);
  await storage.uploads.discard(upload);
}
