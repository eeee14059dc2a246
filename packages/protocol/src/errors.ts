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
    hint: 'Correct the request as the message says; GET /openapi.json describes every call.',
  },
  invalid_filename: {
    status: 400,
    retryable: false,
    hint: 'Send a bare file name: 1 to 255 bytes, no path, no control characters.',
  },
  part_size_mismatch: {
    status: 400,
    retryable: false,
    hint: 'Every part has part_size bytes, the last one the rest. Cut the file as the session says.',
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
    hint: 'Get a fresh token and repeat the request; the session and its parts are kept.',
  },
  forbidden: { status: 403, retryable: false, hint: 'Ask for a token that has the scope this call needs.' },
  signature_invalid: { status: 403, retryable: false, hint: 'Use the signed URL exactly as it was given.' },
  signature_expired: { status: 403, retryable: false, hint: 'Ask for a new signed URL.' },
  not_found: { status: 404, retryable: false, hint: 'GET /openapi.json lists the calls of this server.' },
  upload_not_found: {
    status: 404,
    retryable: false,
    hint: 'Check the id and whose token is used; GET /uploads lists your sessions.',
  },
  file_not_found: {
    status: 404,
    retryable: false,
    hint: 'Check the id and whose token is used; GET /files lists your files.',
  },
  part_out_of_range: { status: 404, retryable: false, hint: 'Parts count from 0 to part_count - 1 of the session.' },
  method_not_allowed: { status: 405, retryable: false, hint: 'Use one of the methods in the Allow header.' },
  body_timeout: {
    status: 408,
    retryable: true,
    hint: 'The connection stalled. Send the part again; what was stored before is kept.',
  },
  part_conflict: {
    status: 409,
    retryable: false,
    hint: 'This part is stored with other bytes. Check that the local file has not changed; if it has, cancel and start anew.',
  },
  upload_incomplete: {
    status: 409,
    retryable: false,
    hint: 'Send the parts in details.missing_parts, then complete again.',
  },
  upload_closed: {
    status: 409,
    retryable: false,
    hint: 'This session has ended. Start a new one with POST /uploads/init.',
  },
  idempotency_conflict: {
    status: 409,
    retryable: false,
    hint: 'This Idempotency-Key was used for another request. Use a new key.',
  },
  upload_expired: {
    status: 410,
    retryable: false,
    hint: 'The session was left alone for too long and its space was freed. Start a new one.',
  },
  length_required: {
    status: 411,
    retryable: false,
    hint: 'Send Content-Length, and no Transfer-Encoding, with the part.',
  },
  precondition_failed: {
    status: 412,
    retryable: false,
    hint: 'What is stored is not what the condition names. Read it again, then decide.',
  },
  file_too_large: { status: 413, retryable: false, hint: 'GET /limits says how large a file may be.' },
  part_too_large: { status: 413, retryable: false, hint: 'Send at most part_size bytes in a part.' },
  quota_exceeded: {
    status: 413,
    retryable: false,
    hint: 'Delete files or cancel sessions, or ask for a larger quota.',
  },
  unsupported_file_type: { status: 415, retryable: false, hint: 'GET /limits lists the accepted file types.' },
  range_not_satisfiable: { status: 416, retryable: false, hint: 'Ask for a range inside the file.' },
  part_checksum_mismatch: {
    status: 422,
    retryable: true,
    hint: 'The part was damaged on its way, or its digest is wrong. Nothing was stored; send it again.',
  },
  file_checksum_mismatch: {
    status: 422,
    retryable: false,
    hint: 'The stored bytes are not the declared file. They are kept until the session expires; check the local file, then start anew.',
  },
  invalid_mrc: {
    status: 422,
    retryable: false,
    hint: 'Check the file at its source. To store it all the same, start the upload with force.',
  },
  rate_limited: { status: 429, retryable: true, hint: 'Wait as long as Retry-After says.' },
  internal: {
    status: 500,
    retryable: true,
    hint: 'Try again; if it stays, give the request_id to whoever runs this server.',
  },
  storage_unavailable: { status: 503, retryable: true, hint: 'The storage does not answer. Try again a little later.' },
  database_unavailable: {
    status: 503,
    retryable: true,
    hint: 'The database does not answer. Try again a little later.',
  },
  shutting_down: { status: 503, retryable: true, hint: 'The server is restarting. Try again in a few seconds.' },
  overloaded: { status: 503, retryable: true, hint: 'The server is busy. Wait as long as Retry-After says.' },
  insufficient_storage: {
    status: 507,
    retryable: true,
    hint: 'The server is short of space for this file. Try again once space has been freed.',
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
