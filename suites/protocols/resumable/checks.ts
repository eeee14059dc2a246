/** draft-ietf-httpbis-resumable-upload, interop version 8 (drafts -09 and later), as checks; some hold for older ones, too. */
import { APPEND, CANCELLATION, CONCURRENCY, OFFSET_RETRIEVAL } from './appending.ts';
import { CREATION } from './creation.ts';
import { DIGESTS } from './digests.ts';
import type { ResumableCheck } from './resumable-check.ts';

export const RESUMABLE_CHECKS: readonly ResumableCheck[] = [
  ...CREATION,
  ...OFFSET_RETRIEVAL,
  ...APPEND,
  ...CANCELLATION,
  ...CONCURRENCY,
  ...DIGESTS,
];
