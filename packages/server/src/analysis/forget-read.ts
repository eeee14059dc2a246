import type { Storage } from '../storage/storage.ts';
import type { MrcAnalyzer } from './mrc-analyzer.ts';

/**
 * Digest and analysis of an upload start again at the next request, because the bytes that they have read may change.
 */
export function forgetRead(
  { storage, analyzer }: { readonly storage: Storage; readonly analyzer: MrcAnalyzer },
  uploadId: string,
): void {
  storage.prefixes?.forget(uploadId);
  void analyzer.forget(uploadId);
}
