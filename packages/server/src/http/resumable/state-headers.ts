/** The fields of an answer that say how far an upload is. */
import type { FastifyReply } from 'fastify';
import type { AppendState } from '../../uploads/append/state.ts';
import type { Services } from '../services.ts';
import { printBoolean } from './fields.ts';
import type { Interop } from './interop.ts';
import { printLimits } from './limits.ts';
import { parallelLimitsOf, printReceived } from './parallel-limits.ts';

type HeaderReply = Pick<FastifyReply, 'header'>;

export function setComplete(reply: HeaderReply, { completeField }: Interop, isComplete: boolean): void {
  const value = completeField === 'Upload-Complete' ? isComplete : !isComplete;
  reply.header(completeField, printBoolean(value));
}

/** Sets offset, completeness and limits. */
export function setState(reply: HeaderReply, services: Services, interop: Interop, state: AppendState): void {
  setComplete(reply, interop, isComplete(state));
  reply.header('Upload-Offset', String(state.offset));
  const limits = limitsOf(services, interop, state);
  if (limits !== null) reply.header('Upload-Limit', limits);
  if (state.protocol === 'parallel') reply.header('Upload-Received', printReceived(state.received));
}

/** All bytes are there, and the client has said so. */
export function isComplete({ status }: Pick<AppendState, 'status'>): boolean {
  return status === 'verifying' || status === 'completed';
}

/** `Upload-Limit` of an upload. */
export function limitsOf({ uploads }: Services, interop: Interop, state: AppendState): string | null {
  const ageMs = state.expiresAtMs - uploads.now();
  return printLimits(interop, uploads.policy.maxFileSizeBytes, ageMs, parallelLimitsOf(state));
}
