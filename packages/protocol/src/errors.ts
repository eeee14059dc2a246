/**
 * The table of all errors that a client can receive: code, HTTP status, whether the same request can succeed when it is
 * sent again, and a hint. The server returns them, the SDK follows them, and the documentation lists them.
 */

interface ErrorRow {
  /** HTTP status, RFC 9110 (507: RFC 4918). */
  readonly status: number;
  /** True when the same request can succeed if it is sent again. */
  readonly retryable: boolean;
  /** What the user or the program can do. A response may carry a more specific hint. */
  readonly hint: string;
}

export const ERRORS = {
  invalid_request: {
    status: 400,
    retryable: false,
    hint: 'Correct the request as described in the message; GET /openapi.json describes every call.',
  },
  invalid_filename: {
    status: 400,
    retryable: false,
    hint: 'Send a bare file name: 1 to 255 bytes, no path, no control characters.',
  },
  part_size_mismatch: {
    status: 400,
    retryable: false,
    hint: 'Send parts of exactly part_size bytes; only the last part may be shorter.',
  },
  unsupported_digest: {
    status: 400,
    retryable: false,
    hint: 'Send Content-Digest with sha-256 only, or no digest header.',
  },
  unauthenticated: {
    status: 401,
    retryable: false,
    hint: 'Send "Authorization: Bearer <token>" with a token of this server.',
  },
  token_expired: {
    status: 401,
    retryable: true,
    hint: 'Get a new token and repeat the request; the upload and its parts are kept.',
  },
  forbidden: { status: 403, retryable: false, hint: 'Ask for a token that has the scope this call needs.' },
  signature_invalid: { status: 403, retryable: false, hint: 'Use the signed URL exactly as it was given.' },
  signature_expired: { status: 403, retryable: false, hint: 'Ask for a new signed URL.' },
  not_found: { status: 404, retryable: false, hint: 'GET /openapi.json lists the calls of this server.' },
  upload_not_found: {
    status: 404,
    retryable: false,
    hint: 'Check the id and the owner of the token; GET /uploads lists your uploads.',
  },
  file_not_found: {
    status: 404,
    retryable: false,
    hint: 'Check the id and the owner of the token; GET /files lists your files.',
  },
  dataset_not_found: {
    status: 404,
    retryable: false,
    hint: 'Check the id and the owner of the token; GET /datasets lists your datasets.',
  },
  part_out_of_range: { status: 404, retryable: false, hint: 'Parts are numbered from 0 to part_count - 1.' },
  method_not_allowed: { status: 405, retryable: false, hint: 'Use one of the methods in the Allow header.' },
  body_timeout: {
    status: 408,
    retryable: true,
    hint: 'The connection stalled. Send the part again; stored parts are kept.',
  },
  part_conflict: {
    status: 409,
    retryable: false,
    hint: 'This part is stored with other bytes. Check whether the local file has changed; if so, cancel and start a new upload.',
  },
  upload_incomplete: {
    status: 409,
    retryable: false,
    hint: 'Send the parts in details.missing_parts, then complete again.',
  },
  upload_closed: {
    status: 409,
    retryable: false,
    hint: 'This upload has ended. Start a new one with POST /uploads/init.',
  },
  offset_mismatch: {
    status: 409,
    retryable: false,
    hint: 'Ask for the Upload-Offset of the upload (HEAD), and send the bytes from there.',
  },
  idempotency_conflict: {
    status: 409,
    retryable: false,
    hint: 'This Idempotency-Key was used for another request. Use a new key.',
  },
  dataset_exists: {
    status: 409,
    retryable: false,
    hint: 'You have a dataset of this name. Use it, or choose another name.',
  },
  dataset_closed: {
    status: 409,
    retryable: false,
    hint: 'Reopen the dataset, or use another one; GET /datasets/{dataset_id} says its state.',
  },
  receipt_not_found: {
    status: 404,
    retryable: false,
    hint: 'Complete the dataset, or issue a receipt of what it has now.',
  },
  receipt_not_ready: {
    status: 503,
    retryable: true,
    hint: 'The receipt is being made, or the digest of a file is not known yet. Try again in a few seconds.',
  },
  receipt_invalid: {
    status: 422,
    retryable: false,
    hint: 'Send the receipt as the other server has issued it, after all of its files have arrived.',
  },
  destination_not_found: {
    status: 404,
    retryable: false,
    hint: 'GET /destinations lists those that you may use; the operator of the server names them (CRYOLIFT_DESTINATIONS).',
  },
  push_not_found: { status: 404, retryable: false, hint: 'GET /datasets/{dataset_id}/pushes lists the pushes.' },
  dataset_not_complete: {
    status: 409,
    retryable: false,
    hint: 'Complete the dataset first: what is pushed is what its receipt lists.',
  },
  dataset_incomplete: {
    status: 409,
    retryable: false,
    hint: 'Upload what is missing (GET /datasets/{dataset_id}/check lists it), or complete with force.',
  },
  file_damaged: {
    status: 409,
    retryable: false,
    hint: 'Send the bytes of the file again as an upload, and tell the administrator of the server.',
  },
  upload_expired: {
    status: 410,
    retryable: false,
    hint: 'The upload was inactive for too long and its space was freed. Start a new one.',
  },
  length_required: {
    status: 411,
    retryable: false,
    hint: 'Send Content-Length, and no Transfer-Encoding, with the part.',
  },
  precondition_failed: {
    status: 412,
    retryable: false,
    hint: 'The resource does not match the condition. Read it again, then decide.',
  },
  file_too_large: { status: 413, retryable: false, hint: 'GET /limits says how large a file may be.' },
  part_too_large: { status: 413, retryable: false, hint: 'Send at most part_size bytes in a part.' },
  quota_exceeded: {
    status: 413,
    retryable: false,
    hint: 'Delete files or cancel uploads, or ask for a larger quota.',
  },
  unsupported_file_type: { status: 415, retryable: false, hint: 'GET /limits lists the accepted file types.' },
  range_not_satisfiable: { status: 416, retryable: false, hint: 'Ask for a range inside the file.' },
  part_checksum_mismatch: {
    status: 422,
    retryable: true,
    hint: 'The part was damaged in transit, or its digest is wrong. Nothing was stored; send it again.',
  },
  file_checksum_mismatch: {
    status: 422,
    retryable: false,
    hint: 'The stored bytes are not those of the declared file. They are kept until the upload expires; check the local file, then start a new upload.',
  },
  invalid_mrc: {
    status: 422,
    retryable: false,
    hint: 'Check the file at its source. To store it anyway, start the upload with force.',
  },
  invalid_tiff: {
    status: 422,
    retryable: false,
    hint: 'Check the file at its source: it may not be finished. To store it anyway, start the upload with force.',
  },
  rate_limited: { status: 429, retryable: true, hint: 'Wait for the time in Retry-After.' },
  internal: {
    status: 500,
    retryable: true,
    hint: 'Try again; if it happens again, report the request_id to the administrator of the server.',
  },
  storage_unavailable: { status: 503, retryable: true, hint: 'The storage does not respond. Try again later.' },
  database_unavailable: {
    status: 503,
    retryable: true,
    hint: 'The database does not respond. Try again later.',
  },
  shutting_down: { status: 503, retryable: true, hint: 'The server is restarting. Try again in a few seconds.' },
  overloaded: { status: 503, retryable: true, hint: 'The server is busy. Wait for the time in Retry-After.' },
  insufficient_storage: {
    status: 507,
    retryable: true,
    hint: 'The server does not have enough space for this file. Try again when space was freed.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** The body of every error response. */
export interface ErrorEnvelope {
  code: ErrorCode;
  message: string;
  hint: string;
  retryable: boolean;
  request_id: string;
  details?: Record<string, unknown>;
}

export interface UploadErrorOptions {
  /** More specific than the hint of the table. */
  hint?: string;
  details?: Record<string, unknown>;
  /** Seconds, for the Retry-After header. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** An error from the table above that is sent to the client. */
export class UploadError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: Record<string, unknown> | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: UploadErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UploadError';
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  toEnvelope(requestId: string): ErrorEnvelope {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retryable: this.retryable,
      request_id: requestId,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
