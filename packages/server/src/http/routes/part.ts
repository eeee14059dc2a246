/** Stores a part. */
import { PartReceipt } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { PartReceiver } from '../../uploads/parts/part-receiver.ts';
import { beginPart, type PartStart } from '../../uploads/parts/part-start.ts';
import { accessOf } from '../auth/caller.ts';
import { takeAnyBody } from '../connection/any-body.ts';
import { receiveRequest } from '../connection/receive.ts';
import { ZSTD, ZstdReceiver } from '../connection/zstd-receiver.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import type { Services } from '../services.ts';
import { isPartCoded, parsePartDigests, parsePartIndex, parsePartLength, parsePartOffset } from './part-head.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler reads the body from the request itself. */
    rawBody?: boolean;
  }
}

const PART_INDEX = Type.Integer({ minimum: 0, maximum: MAX_PART_COUNT - 1, description: 'Counted from 0.' });
const PART_ERRORS = [
  ...UPLOAD_ERRORS,
  'part_size_mismatch',
  'unsupported_digest',
  'part_out_of_range',
  'part_conflict',
  'upload_closed',
  'upload_expired',
  'length_required',
  'part_too_large',
  'part_checksum_mismatch',
  'invalid_mrc',
  'invalid_tiff',
] as const;
const PartParams = Type.Object({ upload_id: Type.String({ maxLength: 256 }), idx: Type.String({ maxLength: 32 }) });

/**
 * @param instance an instance for this route alone, because its bodies are not parsed, with any Content-Type.
 */
export function registerPart(instance: FastifyInstance, services: Services): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  takeAnyBody(instance);

  app.put(
    '/uploads/:upload_id/part/:idx',
    {
      config: { scope: 'uploads:write', signable: true, linkable: true, rawBody: true, isLong: true },
      schema: {
        operationId: 'putPart',
        tags: ['uploads'],
        summary: 'Stores one part.',
        body: { content: { 'application/octet-stream': { schema: Type.Any({ description: "The part's bytes." }) } } },
        params: PartParams,
        response: { 200: PartReceipt, 201: PartReceipt },
        documented: {
          params: { idx: PART_INDEX },
          headers: ['Content-Digest', 'Content-Encoding', 'Unencoded-Digest', 'Upload-Offset'],
          responseHeaders: { 200: ['Accept-Encoding'], 201: ['Accept-Encoding'] },
          errors: PART_ERRORS,
        },
      },
    },
    async (request, reply) => await receivePart(services, request, reply, request.params),
  );
}

/** Checks the head of the request, and then receives the body. */
async function receivePart(
  { uploads, metrics, options }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  params: { readonly upload_id: string; readonly idx: string },
): Promise<PartReceipt> {
  const { headers, caller } = request;
  const idx = parsePartIndex(params.idx);
  // RFC 9110 section 12.5.3: which codings a request may have.
  reply.header('accept-encoding', ZSTD);
  const isCoded = isPartCoded(headers);
  const digests = parsePartDigests(headers, isCoded);
  const bodyBytes = parsePartLength(headers);
  const part = {
    uploadId: params.upload_id,
    idx,
    lengthBytes: isCoded ? null : bodyBytes,
    offsetBytes: parsePartOffset(headers),
    sha256: digests.part,
    requestId: request.id,
  };
  const started = await beginPart(uploads, accessOf(caller), part);
  if (started.kind === 'answered') {
    metrics.notePart({ bytes: started.receipt.size, deduplicated: true });
    return started.receipt;
  }
  const receiver = isCoded ? await decode(started, digests.codedBody) : started.receiver;
  const receipt = await receiveRequest(request, reply, receiver, options.bodyIdleTimeoutMs);
  metrics.notePart({ bytes: receipt.size, deduplicated: receipt.deduplicated });
  reply.code(receipt.deduplicated ? 200 : 201);
  return receipt;
}

/** @throws UploadError `overloaded` when too many bodies are being decoded. */
async function decode(
  { receiver, lengthBytes }: Extract<PartStart, { kind: 'receiving' }>,
  sha256: Uint8Array | null,
): Promise<PartReceiver> {
  try {
    return new ZstdReceiver({ receiver, lengthBytes, sha256 });
  } catch (error) {
    await receiver.abort();
    throw error;
  }
}
