/** Errors of appends. */
import { UploadError } from '@cryolift/protocol/errors';

export function offsetMismatch(expected: number, provided: number): UploadError {
  const message = `Upload-Offset says ${provided}; this upload has ${expected} bytes.`;
  return new UploadError('offset_mismatch', message, {
    details: { expected_offset: expected, provided_offset: provided },
  });
}

export function superseded(): UploadError {
  return new UploadError('offset_mismatch', 'A newer request for this upload replaced this one.');
}

/** Another server may have taken the part over. */
export function leaseLost(): UploadError {
  const message = 'Another server is receiving this part of the upload.';
  return new UploadError('overloaded', message, { retryAfterSeconds: 1 });
}

export function tooLong(lengthBytes: number): UploadError {
  return new UploadError('file_too_large', `The body goes beyond the length of the upload, ${lengthBytes} bytes.`, {
    hint: 'Send no more bytes than Upload-Length says.',
  });
}
