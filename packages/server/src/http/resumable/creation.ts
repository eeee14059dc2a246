/** POST and PUT: starts an upload, with its first bytes, all of them, or none. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createAppended } from '../../uploads/append/creation.ts';
import { type AppendState, readAppendState } from '../../uploads/append/state.ts';
import { cancelUpload } from '../../uploads/cancellation.ts';
import { accessOf, linkOf, ownerOf } from '../auth/caller.ts';
import { locationOf } from '../location.ts';
import type { Services } from '../services.ts';
import { appendBody } from './body.ts';
import { complete } from './completion.ts';
import { type CreationHead, readCreation } from './creation-head.ts';
import { InterimAnswers } from './interim-answers.ts';
import { readInterop } from './interop.ts';
import { limitsOf, setState } from './state-headers.ts';

/** Of the uploads of this protocol. */
export const UPLOADS_PATH = '/resumable/uploads';

/** @param pathName what follows `/resumable/`, decoded. */
export async function create(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  pathName: string,
): Promise<unknown> {
  const { uploads, options } = services;
  const spoken = readInterop(request.headers);
  const head = readCreation(request.raw, pathName, spoken.interop);
  const { caller } = request;
  const created = await createAppended(uploads, ownerOf(caller), toRequest(head, options), linkOf(caller));
  const { uploadId } = created;
  request.audited = { ...request.audited, upload_id: uploadId };
  const location = locationOf(request, UPLOADS_PATH, uploadId, options.publicUrl);
  const interim = new InterimAnswers(request, reply, spoken, options.interimAnswers);
  interim.announce(location, limitsOf(services, spoken.interop, created));
  await receiveFirst(services, request, reply, { head, created, interim });
  reply.header('Location', location);
  if (head.isComplete) return await complete(services, request, reply, created, null);
  const state = await readAppendState(uploads, accessOf(caller), uploadId, { endRunning: false });
  setState(reply, services, spoken.interop, state);
  return await reply.code(201).send();
}

function toRequest(head: CreationHead, { parallelAppends }: Services['options']) {
  const { filename, lengthBytes, metadata, sha256, wantsParallel, wantedDigest } = head;
  const isParallel = parallelAppends && wantsParallel && lengthBytes !== null;
  return {
    filename,
    sizeBytes: lengthBytes,
    metadata,
    sha256,
    protocol: isParallel ? ('parallel' as const) : ('resumable' as const),
    isPartial: false,
    // This protocol has no metadata to repeat. What the client wants to know at the end is kept in their place.
    rawMetadata: wantedDigest,
  };
}

interface FirstBody {
  readonly head: CreationHead;
  readonly created: AppendState;
  readonly interim: InterimAnswers;
}

/** A client without a Location cannot go on: its upload is cancelled when the body is not received. */
async function receiveFirst(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  { head, created, interim }: FirstBody,
): Promise<void> {
  const { uploadId } = created;
  const { bodyBytes, checksum } = head;
  try {
    await appendBody(services, request, reply, { uploadId, offset: 0, bodyBytes, checksum, interim });
  } catch (error) {
    if (!interim.isAnnounced) {
      await cancelUpload(services.uploads, accessOf(request.caller), uploadId).catch(() => {});
    }
    throw error;
  }
}
