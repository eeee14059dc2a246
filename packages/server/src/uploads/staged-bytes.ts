/** What has to end before the staged bytes of an upload change or go away. */
import type { UploadContext } from './context.ts';

type Readers = Pick<UploadContext, 'storage' | 'analyzer'>;

/** Digest and analysis start again when they are asked for next: what they have read may change. */
export function forgetRead({ storage, analyzer }: Readers, uploadId: string): void {
  storage.prefixes?.forget(uploadId);
  void analyzer.forget(uploadId);
}

/** Frees the staged bytes of an upload; the space is free on return. No sink of it may be open. Safe to repeat. */
export async function discardStaged({ storage, analyzer }: Readers, uploadId: string): Promise<void> {
  await analyzer.forget(uploadId);
  await storage.uploads.discard(uploadId);
}
