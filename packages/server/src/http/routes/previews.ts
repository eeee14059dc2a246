/** Previews and statistics of MRC files. */
import { summariseDecoded } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import { PreviewQuery, Statistics } from '@cryolift/protocol/messages';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { nameOf, RENDERER, toPreviewRequest } from '../../analysis/picture-request.ts';
import type { Previews, Viewer } from '../../analysis/previews.ts';
import { waitForStatistics } from '../../analysis/statistics.ts';
import { assertNotDeleted } from '../../files/files.ts';
import type { StoredFile } from '../../files/stored-file.ts';
import { getUpload } from '../../uploads/lookup.ts';
import { assertShowable } from '../../uploads/parts/early-section.ts';
import type { Upload } from '../../uploads/upload.ts';
import { accessOf, accountOf, assertScope } from '../auth/caller.ts';
import { signalOf } from '../client-gone.ts';
import { checkConditions, preconditionFailed } from '../conditions.ts';
import { CONDITIONS } from '../openapi/headers.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { FileParams, NotModified, type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { findFile, findLinkedFile } from './find-file.ts';

/** How long a request waits. The work goes on after that. */
const WAIT_MS = 20_000;
const RETRY_SECONDS = 2;

const VALIDATORS = { 200: ['ETag', 'Last-Modified'], 304: ['ETag', 'Last-Modified'] } as const;
const PNG = { content: { 'image/png': { schema: Type.Any({ description: 'The picture.' }) } } };

type Drawn = Awaited<ReturnType<Previews['ofFile']>>;

/** Draws for the caller. @returns 'gone' when the client has closed the connection. */
async function drawFor(
  { caller }: FastifyRequest,
  reply: FastifyReply,
  draw: (viewer: Viewer) => Promise<Drawn>,
): Promise<Drawn | 'gone'> {
  const signal = signalOf(reply);
  try {
    return await draw({ account: accountOf(caller), signal, waitMs: WAIT_MS });
  } catch (error) {
    if (signal.aborted) return 'gone';
    throw error;
  }
}

export function registerPreviews(app: Routes, services: Services): void {
  registerFilePreview(app, services);
  registerStatistics(app, services);
  registerUploadPreview(app, services);
}

function registerFilePreview(app: Routes, services: Services): void {
  app.get(
    '/files/:file_id/preview',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'getFilePreview',
        tags: ['files'],
        summary: 'A picture of an MRC file: a section, an average, a montage, a power spectrum, or a plot.',
        params: FileParams,
        querystring: PreviewQuery,
        response: { 200: PNG, 304: NotModified },
        documented: {
          headers: CONDITIONS,
          responseHeaders: VALIDATORS,
          errors: ['not_found', 'file_not_found', 'precondition_failed', 'storage_unavailable'],
        },
      },
    },
    async (request, reply) => {
      const file = await findLinkedFile(services.uploads, request.caller, request.params.file_id);
      return await answerFile(services, request, reply, file);
    },
  );
}

function registerStatistics(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/:file_id/statistics',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'getFileStatistics',
        tags: ['files'],
        summary: 'Exact statistics of the voxels of an MRC file.',
        params: FileParams,
        response: { 200: Statistics },
        documented: { errors: ['not_found', 'file_not_found'] },
      },
    },
    async ({ caller, params }) => {
      const found = await waitForStatistics(context, await findFile(context, caller, params.file_id), WAIT_MS);
      if (found === 'late') throw notYet('The statistics of this file are still being computed.');
      if (found === null) throw new UploadError('not_found', 'There are no statistics of this file.');
      return found;
    },
  );
}

function registerUploadPreview(app: Routes, services: Services): void {
  app.get(
    '/uploads/:upload_id/preview',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'getUploadPreview',
        tags: ['uploads'],
        summary: 'A section of an upload, as soon as its parts are stored.',
        params: UploadParams,
        querystring: PreviewQuery,
        response: { 200: PNG, 304: NotModified },
        documented: {
          headers: CONDITIONS,
          responseHeaders: VALIDATORS,
          errors: [
            ...UPLOAD_ERRORS,
            'not_found',
            'file_not_found',
            'upload_incomplete',
            'upload_closed',
            'upload_expired',
            'precondition_failed',
          ],
        },
      },
    },
    async (request, reply) => {
      const upload = await getUpload(services.uploads, accessOf(request.caller), request.params.upload_id);
      return await answerUpload(services, request, reply, upload);
    },
  );
}

/** Answers with a section of an upload; with a picture of the file once the upload is completed. */
async function answerUpload(
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  upload: Upload,
): Promise<FastifyReply> {
  const { uploads: context, previews } = services;
  const { status, mrc } = upload;
  if (status === 'completed') {
    assertScope(request.caller, 'files:read');
    const file = await findFile(context, request.caller, upload.fileId as string);
    return await answerFile(services, request, reply, file);
  }
  if (!mrc)
    throw new UploadError(
      'not_found',
      'This upload has no picture: it is not an MRC file, or its header has not arrived.',
    );
  if (status === 'cancelled')
    throw new UploadError('upload_closed', 'This upload is cancelled; its parts were deleted.');
  if (status === 'expired') throw new UploadError('upload_expired', 'This upload expired; its parts were deleted.');
  const asked = toPreviewRequest(mrc, upload.filename, { axis: 'z', ...(request.query as PreviewQuery) });
  await assertShowable(context, upload, mrc, asked);
  return send(reply, await drawFor(request, reply, (viewer) => previews.ofUpload(upload.staged, asked, viewer)));
}

/** Answers with a picture of a file. */
async function answerFile(
  { uploads: context, previews }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
): Promise<FastifyReply> {
  const { mrc: header, tiff, sha256, parts_sha256 } = file.record;
  const mrc = header ?? (tiff ? summariseDecoded(tiff) : null);
  if (!mrc) {
    const reason = tiff?.not_drawn ?? 'it is no readable MRC, TIFF or EER file';
    throw new UploadError('not_found', `This file has no picture: ${reason}.`);
  }
  const asked = toPreviewRequest(mrc, file.filename, request.query as PreviewQuery);
  const etag = `"${(sha256 ?? parts_sha256).slice(0, 32)}-${nameOf(asked, file.place)}"`;
  const lastModifiedMs = Math.max(file.createdAtMs, RENDERER.sinceMs);
  const drawing = drawFor(request, reply, (viewer) => previews.ofFile(file.place, asked, viewer));
  const drawn = await drawing.catch(async (error: unknown) => {
    await assertNotDeleted(context, file.id);
    throw error;
  });
  if (typeof drawn === 'object' && drawn.kind === 'png') {
    const outcome = checkConditions(request.headers, { etag, lastModifiedMs });
    if (outcome === 'failed') throw preconditionFailed();
    reply.header('etag', etag).header('last-modified', new Date(lastModifiedMs).toUTCString());
    if (outcome === 'not_modified') return reply.code(304).send();
  }
  return send(reply, drawn);
}

function send(reply: FastifyReply, drawn: Drawn | 'gone'): FastifyReply {
  // The connection is closed, so no answer is sent.
  if (drawn === 'gone') return reply.hijack();
  if (drawn === 'late') throw notYet('This picture is still being drawn.');
  if (drawn === 'overloaded') throw notYet('Too many pictures are being drawn.');
  if (drawn.kind === 'refused') {
    throw new UploadError(drawn.code === 'not_applicable' ? 'not_found' : 'invalid_request', drawn.message);
  }
  return reply.type('image/png').send(drawn.png);
}

function notYet(message: string): UploadError {
  return new UploadError('overloaded', message, { retryAfterSeconds: RETRY_SECONDS });
}
