/** The headers of tus answers that describe an upload. */
import { ENDED_STATES, OPEN_STATES } from '@cryolift/protocol/states';
import type { FastifyReply } from 'fastify';
import type { AppendState } from '../../uploads/append/state.ts';

/** Of answers to HEAD. */
export function describeUpload(reply: FastifyReply, state: AppendState): void {
  const { lengthBytes, isPartial, concat, rawMetadata } = state;
  setProgress(reply, state);
  if (lengthBytes !== null) reply.header('upload-length', String(lengthBytes));
  // The length of a concatenation is not deferred, but follows from its partial uploads.
  else if (concat === null) reply.header('upload-defer-length', '1');
  if (isPartial) reply.header('upload-concat', 'partial');
  if (concat !== null) reply.header('upload-concat', concat);
  if (rawMetadata !== null) reply.header('upload-metadata', rawMetadata);
}

/** Of answers to POST, PATCH and HEAD: the offset, and when an open upload expires. */
export function setProgress(reply: FastifyReply, state: AppendState): void {
  const { status, offset, expiresAtMs, concat } = state;
  // The offset of a concatenation means nothing until it is finished.
  if (concat === null || status === 'completed') reply.header('upload-offset', String(offset));
  if (isOpen(state)) reply.header('upload-expires', new Date(expiresAtMs).toUTCString());
}

export function isOpen({ status }: AppendState): boolean {
  return OPEN_STATES.includes(status);
}

/** It has ended without a file, and takes no bytes any more. */
export function isGone({ status }: AppendState): boolean {
  return ENDED_STATES.includes(status);
}
