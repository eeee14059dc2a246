/** The statuses of tus 1.0 for the errors of Cryolift. The body is the envelope of every error. */
import { type ErrorCode, UploadError, type UploadErrorOptions } from '@cryolift/protocol/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { setFailureHeaders } from '../errors.ts';
import { methodOf } from './method.ts';

/**
 * The server cannot answer now. tus-js-client repeats a PATCH after 409, 423 and 5xx only, and a HEAD after 423 only:
 * after any other status it starts a new upload from the first byte.
 */
const BUSY: readonly ErrorCode[] = [
  'rate_limited',
  'body_timeout',
  'overloaded',
  'shutting_down',
  'database_unavailable',
  'storage_unavailable',
];
/** A HEAD is repeated after these, too. */
const BUSY_FOR_HEAD: readonly ErrorCode[] = ['internal', 'insufficient_storage', 'receipt_not_ready'];
const RETRY_AFTER_SECONDS = 1;

/** An error whose status tus sets. */
export class TusError extends UploadError {
  readonly tusStatus: number;

  constructor(tusStatus: number, code: ErrorCode, message: string, options: UploadErrorOptions = {}) {
    super(code, message, options);
    this.tusStatus = tusStatus;
  }
}

export function lockedError(message: string): TusError {
  return new TusError(423, 'overloaded', message, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

/** True for errors after which the same request can succeed without another one before it. */
export function isBusy({ code }: UploadError): boolean {
  return BUSY.includes(code);
}

/** Answers with the envelope, and with the headers that tus wants with an error. */
export function sendFailure(failure: UploadError, request: FastifyRequest, reply: FastifyReply): void {
  const status = statusOf(failure, methodOf(request.raw));
  setFailureHeaders(failure, request, reply);
  if (status === 423 && !reply.hasHeader('retry-after')) reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  // The name that tus gives it. Node knows none.
  if (status === 460) reply.raw.statusMessage = 'Checksum Mismatch';
  const { expected_offset } = failure.details ?? {};
  if (failure.code === 'offset_mismatch' && expected_offset !== undefined) {
    reply.header('upload-offset', String(expected_offset));
  }
  reply.code(status).type('application/json').serializer(JSON.stringify).send(failure.toEnvelope(request.id));
}

function statusOf(failure: UploadError, method: string): number {
  if (failure instanceof TusError) return failure.tusStatus;
  if (isBusy(failure) || (method === 'HEAD' && BUSY_FOR_HEAD.includes(failure.code))) return 423;
  switch (failure.code) {
    case 'part_checksum_mismatch':
      return 460;
    case 'upload_closed':
      return failure.details?.status === 'verifying' ? 423 : 410;
    default:
      return failure.status;
  }
}
