/** The request to store a part, and the checks that need no body. */
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES, type UploadState } from '@cryolift/protocol/states';
import type { UploadRow } from '../../db/tables.ts';
import type { Extent } from '../../storage/places.ts';

/** States in which sent bytes are deleted or useless. A completed upload still confirms its parts. */
const ENDED_STATES: readonly UploadState[] = ['expired', 'cancelled', 'failed'];

export interface PartRequest {
  uploadId: string;
  idx: number;
  /** Content-Length, bytes. */
  lengthBytes: number;
  /** Offset of the part according to the client, bytes; null when absent. */
  offsetBytes: number | null;
  /** The announced digest, or null. */
  sha256: Uint8Array | null;
  requestId: string;
}

/** @throws UploadError `upload_expired` or `upload_closed` when the upload accepts no parts. */
export function assertOpen(upload: { readonly status: UploadState }): void {
  if (!OPEN_STATES.includes(upload.status)) throw uploadClosed(upload);
}

/** @throws UploadError when the upload has no such part, or the part does not have this length or offset. */
export function validateRequest(row: UploadRow, { idx, lengthBytes, offsetBytes }: PartRequest): Extent {
  if (ENDED_STATES.includes(row.status)) throw uploadClosed(row);
  if (idx < 0 || idx >= row.part_count) {
    throw new UploadError(
      'part_out_of_range',
      `There is no part ${idx}; this upload has ${row.part_count}, counted from 0.`,
    );
  }
  const extent = partExtent(row.size, row.part_size, idx);
  if (lengthBytes > row.part_size) {
    throw new UploadError(
      'part_too_large',
      `The body has ${lengthBytes} bytes; a part of this upload has ${row.part_size}.`,
    );
  }
  if (lengthBytes !== extent.length) {
    throw new UploadError('part_size_mismatch', `The body has ${lengthBytes} bytes; part ${idx} has ${extent.length}.`);
  }
  if (offsetBytes !== null && offsetBytes !== extent.offset) {
    const message = `Upload-Offset says ${offsetBytes}; part ${idx} begins at ${extent.offset}.`;
    throw new UploadError('invalid_request', message, {
      hint: 'Use the part_size of the upload; the request may have been damaged.',
    });
  }
  return extent;
}

export function uploadClosed({ status }: { readonly status: UploadState }): UploadError {
  if (status === 'expired') return new UploadError('upload_expired', 'This upload expired; its parts were deleted.');
  return new UploadError('upload_closed', `This upload accepts no more parts: it is ${status}.`, {
    details: { status },
  });
}
