/** The request to store a part, and the checks that need no body. */
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import { ENDED_STATES, OPEN_STATES, type UploadState } from '@cryolift/protocol/states';
import type { UploadRow } from '../../db/tables.ts';
import type { Extent } from '../../storage/places.ts';

export interface PartRequest {
  uploadId: string;
  idx: number;
  /** Of the part, bytes. */
  lengthBytes: number;
  /** Offset of the part according to the client, bytes; null when absent. */
  offsetBytes: number | null;
  /** The announced digest, or null. */
  sha256: Uint8Array | null;
  requestId: string;
}

export interface RequestedPart extends Omit<PartRequest, 'lengthBytes'> {
  /** Content-Length, bytes; null: the body is coded, and its length is known when it is decoded. */
  lengthBytes: number | null;
}

/** @throws UploadError `upload_expired` or `upload_closed` when the upload accepts no parts. */
export function assertOpen(upload: { readonly status: UploadState }): void {
  if (!OPEN_STATES.includes(upload.status)) throw uploadClosed(upload);
}

/** @throws UploadError `invalid_request` for an upload whose bytes a protocol appends. */
export function assertParted({ door }: Pick<UploadRow, 'door'>): void {
  if (door === null) return;
  throw new UploadError('invalid_request', 'This upload takes no parts: it was started to append to it.', {
    hint: 'Send its bytes with PATCH to the Location that it was started with.',
  });
}

/** @throws UploadError when the upload has no such part, or the part does not have this length or offset. */
export function validateRequest(row: UploadRow, { idx, lengthBytes, offsetBytes }: RequestedPart): Extent {
  // A completed upload still confirms its parts.
  if (ENDED_STATES.includes(row.status)) throw uploadClosed(row);
  if (idx < 0 || idx >= row.part_count) {
    throw new UploadError(
      'part_out_of_range',
      `There is no part ${idx}; this upload has ${row.part_count}, counted from 0.`,
    );
  }
  const extent = partExtent(row.size, row.part_size, idx);
  if (lengthBytes !== null && lengthBytes > row.part_size) {
    throw new UploadError(
      'part_too_large',
      `The body has ${lengthBytes} bytes; a part of this upload has ${row.part_size}.`,
    );
  }
  if (lengthBytes !== null && lengthBytes !== extent.length) {
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
