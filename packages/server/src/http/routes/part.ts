/** Stores a part. */
import { UploadError } from '@cryolift/protocol/errors';
import { PartReceipt } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { beginPart } from '../../uploads/parts/part-start.ts';
import { accessOf } from '../auth/caller.ts';
import { continueBody } from '../connection/expect.ts';
import { receiveBody } from '../connection/request-body.ts';
import { bodyOf } from '../connection/standard-body.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import type { Services } from '../services.ts';
import { parsePartDigest, parsePartIndex, parsePartLength, parsePartOffset } from './part-head.ts';

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
] as const;
const PartParams = Type.Object({ upload_id: Type.String({ maxLength: 256 }), idx: Type.String({ maxLength: 32 }) });

/**
 * @param instance an instance for this route alone, because its bodies are not parsed, with any Content-Type.
 */
export function registerPart(instance: FastifyInstance, services: Services): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  // Fastify would refuse a Content-Type that it cannot parse. A part may have any.
  app.addHook('onRequest', async ({ raw }) => {
    delete raw.headers['content-type'];
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

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
          headers: ['Content-Digest', 'Upload-Offset'],
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
  const sha256 = parsePartDigest(headers);
  const lengthBytes = parsePartLength(headers);
  const offsetBytes = parsePartOffset(headers);
  const part = { uploadId: params.upload_id, idx, lengthBytes, offsetBytes, sha256, requestId: request.id };
  const started = await beginPart(uploads, accessOf(caller), part);
  if (started.kind === 'answered') {
    metrics.notePart({ bytes: started.receipt.size, deduplicated: true });
    return started.receipt;
  }
  continueBody(request.raw, reply.raw);
  try {
    const receipt = await receiveBody(bodyOf(request.raw), started.receiver, options.bodyIdleTimeoutMs);
    metrics.notePart({ bytes: receipt.size, deduplicated: receipt.deduplicated });
    reply.code(receipt.deduplicated ? 200 : 201);
    return receipt;
  } catch (error) {
    // The rest of a stalled body may still arrive, so this connection cannot carry another request.
    if (error instanceof UploadError && error.code === 'body_timeout') reply.header('connection', 'close');
    throw error;
  }
}
