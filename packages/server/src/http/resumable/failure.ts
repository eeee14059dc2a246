/** Answers failures with problem details (RFC 9457), which have the members of the error envelope as well. */
import type { UploadError } from '@cryolift/protocol/errors';
import { ENDED_STATES } from '@cryolift/protocol/states';
import type { FastifyRequest } from 'fastify';
import { createFailureHandler, setFailureHeaders } from '../errors.ts';
import { STATUS_CODES } from '../node-http.ts';
import type { Services } from '../services.ts';
import { printBoolean } from './fields.ts';
import { readInterop } from './interop.ts';
import { printLimits } from './limits.ts';
import { PROBLEMS, Problem, uriOf } from './problem.ts';

/** Seconds until a client asks again for the offset of an upload while the server is busy. */
const BUSY_RETRY_SECONDS = 2;

export function createProblemHandler({ metrics, uploads }: Services) {
  return createFailureHandler(metrics, (failure, request, reply) => {
    const problem = toProblem(failure, request);
    setFailureHeaders(failure, request, reply);
    const { interop } = readInterop(request.headers);
    for (const [name, value] of Object.entries(problem.headers)) reply.header(name, value);
    const status = isRetrieval(request) && isBusy(failure) ? 423 : problem.status;
    if (status === 423 && !reply.hasHeader('retry-after')) reply.header('retry-after', String(BUSY_RETRY_SECONDS));
    if (status === 413) {
      const { maxFileSizeBytes, uploadTtlMs } = uploads.policy;
      const limits = printLimits(interop, maxFileSizeBytes, uploadTtlMs);
      if (limits !== null && !reply.hasHeader('upload-limit')) reply.header('upload-limit', limits);
    }
    reply
      .code(status)
      .type('application/problem+json')
      .serializer(JSON.stringify)
      .send({
        type: problem.problem === null ? 'about:blank' : uriOf(problem.problem),
        title: problem.problem === null ? (STATUS_CODES[status] ?? 'Error') : PROBLEMS[problem.problem],
        status,
        detail: problem.message,
        ...problem.members,
        ...problem.toEnvelope(request.id),
      });
  });
}

function isRetrieval({ method }: FastifyRequest): boolean {
  return method === 'HEAD' || method === 'GET';
}

/**
 * The offset can be asked for later. Some clients start the upload anew for any failure of this request but 423
 * (tus-js-client 4.3.1).
 */
function isBusy({ status }: UploadError): boolean {
  return status >= 500 || status === 429;
}

/** Gives an error of the core the problem type and the status that the drafts have for it. */
function toProblem(failure: UploadError, request: FastifyRequest): Problem {
  if (failure instanceof Problem) return failure;
  const { code, message, hint, details, retryAfterSeconds, cause } = failure;
  const options = {
    hint,
    cause,
    ...(details && { details }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
  if (code === 'offset_mismatch' && typeof details?.expected_offset === 'number') {
    const { expected_offset, provided_offset } = details;
    const { completeField } = readInterop(request.headers).interop;
    return new Problem('mismatching-upload-offset', code, message, {
      ...options,
      members: { 'expected-offset': expected_offset, 'provided-offset': provided_offset },
      headers: {
        'Upload-Offset': String(expected_offset),
        [completeField]: printBoolean(completeField === 'Upload-Incomplete'),
      },
    });
  }
  if (code === 'upload_closed' && hasEnded(details?.status)) {
    return new Problem(null, code, message, { ...options, status: 410 });
  }
  return new Problem(null, code, message, options);
}

/** The upload resource does not come back. */
function hasEnded(status: unknown): boolean {
  return ENDED_STATES.some((ended) => ended === status);
}
