import type { Storage } from '../storage/storage.ts';
import type { MrcAnalyzer } from './mrc-analyzer.ts';

/** Digest and analysis of an upload start again when they are asked for next: what they have read may change or go away. */
export function forgetRead(
  { storage, analyzer }: { readonly storage: Storage; readonly analyzer: MrcAnalyzer },
  uploadId: string,
): void {
  storage.prefixes?.forget(uploadId);
  void analyzer.forget(uploadId);
}
