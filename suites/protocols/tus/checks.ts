/** tus 1.0.0 (https://tus.io/protocols/resumable-upload, 2016-03-25 with its later extensions), as checks. */
import { CHECKSUM, CHECKSUM_TRAILER } from './checksum.ts';
import { CONCATENATION, CONCATENATION_UNFINISHED } from './concatenation.ts';
import { CORE_HEADERS } from './core-headers.ts';
import { CORE_REQUESTS } from './core-requests.ts';
import { CREATION, DEFERRED_LENGTH } from './creation.ts';
import { CREATION_WITH_UPLOAD } from './creation-with-upload.ts';
import { EXPIRATION } from './expiration.ts';
import { TERMINATION } from './termination.ts';
import type { TusCheck } from './tus-check.ts';

export const TUS_CHECKS: readonly TusCheck[] = [
  ...CORE_HEADERS,
  ...CORE_REQUESTS,
  ...CREATION,
  ...DEFERRED_LENGTH,
  ...CREATION_WITH_UPLOAD,
  ...EXPIRATION,
  ...CHECKSUM,
  ...CHECKSUM_TRAILER,
  ...TERMINATION,
  ...CONCATENATION,
  ...CONCATENATION_UNFINISHED,
];
