/** What the server has seen in MRC files: pictures and statistics. */
import { UploadError } from '@cryolift/protocol/errors';
import { PreviewQuery, Statistics } from '@cryolift/protocol/messages';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { nameOf, type Previews, toPreviewRequest, type Viewer } from '../../analysis/previews.ts';
import { waitForStatistics } from '../../analysis/statistics.ts';
import { assertNotDeleted, type FileRow, getFile } from '../../files/files.ts';
import { toFilePlace, toFileRecord } from '../../files/record.ts';
import { canAccess } from '../../uploads/context.ts';
import { assertShowable } from '../../uploads/early-section.ts';
import { findUpload } from '../../uploads/lookup.ts';
import { mrcOf, toStaged } from '../../uploads/upload-record.ts';
import { accessOf, accountOf, assertScope, type Caller } from '../auth/caller.ts';
import { signalOf } from '../client-gone.ts';
import { checkConditions, preconditionFailed } from '../conditions.ts';
import { CONDITIONS } from '../openapi/headers.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { FileParams, NotModified, type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';

/** How long a request waits for work that goes on when it gives up. */
const WAIT_MS = 20_000;
const RETRY_SECONDS = 2;
/** Both change when the same request is drawn differently. */
const RENDERER = { version: 1, sinceMs: Date.UTC(2026, 0, 1) };

const VALIDATORS = { 200: ['ETag', 'Last-Modified'], 304: ['ETag', 'Last-Modified'] } as const;
const PNG = { content: { 'image/png': { schema: Type.Any({ description: 'The picture.' }) } } };

type Drawn = Awaited<ReturnType<Previews['ofFile']>>;

/** Draws for the caller. @returns 'gone' when they have gone away meanwhile. */
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

export function registerPreviews(app: Routes, { uploads: context, previews }: Services): void {
  const find = (caller: Caller, id: string) => getFile(context, id, (owner) => canAccess(accessOf(caller), owner));

  app.get(
    '/files/:file_id/preview',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'getFilePreview',
        tags: ['files'],
        summary: 'A picture of an MRC file: a section, an average, a montage, or the power spectrum.',
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
    async (request, reply) => await answerFile(request, reply, await find(request.caller, request.params.file_id)),
  );

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
      const found = await waitForStatistics(context, await find(caller, params.file_id), WAIT_MS);
      if (found === 'late') throw notYet('The statistics of this file are still being computed.');
      if (found === null) throw new UploadError('not_found', 'There are no statistics of this file.');
      return found;
    },
  );

  app.get(
    '/uploads/:upload_id/preview',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'getUploadPreview',
        tags: ['uploads'],
        summary: 'A section of an upload, as soon as its parts are there.',
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
      const row = await findUpload(context, accessOf(request.caller), request.params.upload_id);
      if (row.status === 'completed') {
        assertScope(request.caller, 'files:read');
        return await answerFile(request, reply, await find(request.caller, row.file_id as string));
      }
      const mrc = mrcOf(row);
      if (!mrc)
        throw new UploadError(
          'not_found',
          'There is no picture of this upload: it is no MRC file, or its header has not arrived.',
        );
      if (row.status === 'cancelled')
        throw new UploadError('upload_closed', 'This upload is cancelled; its parts are gone.');
      if (row.status === 'expired') throw new UploadError('upload_expired', 'This upload expired; its parts are gone.');
      const asked = toPreviewRequest(mrc, row.filename, { axis: 'z', ...request.query });
      await assertShowable(context, row, mrc, asked);
      return send(reply, await drawFor(request, reply, (viewer) => previews.ofUpload(toStaged(row), asked, viewer)));
    },
  );

  async function answerFile(request: FastifyRequest, reply: FastifyReply, row: FileRow): Promise<FastifyReply> {
    const { mrc, sha256 } = toFileRecord(row, null);
    if (!mrc)
      throw new UploadError('not_found', 'There is no picture of this file: it is no MRC file that can be read.');
    const asked = toPreviewRequest(mrc, row.filename, request.query as PreviewQuery);
    const place = toFilePlace(row);
    const etag = `"${sha256.slice(0, 32)}-${nameOf(asked, place)}-${RENDERER.version}"`;
    const lastModifiedMs = Math.max(row.created_at, RENDERER.sinceMs);
    const drawing = drawFor(request, reply, (viewer) => previews.ofFile(place, asked, viewer));
    const drawn = await drawing.catch(async (error: unknown) => {
      await assertNotDeleted(context, row);
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
}

function send(reply: FastifyReply, drawn: Drawn | 'gone'): FastifyReply {
  // Nobody is there to take an answer.
  if (drawn === 'gone') return reply.hijack();
  if (drawn === 'late') throw notYet('This picture is still being drawn.');
  if (drawn === 'overloaded') throw notYet('Too many pictures are being drawn.');
  if (drawn.kind === 'refused') {
    throw new UploadError(drawn.code === 'slice_out_of_range' ? 'invalid_request' : 'not_found', drawn.message);
  }
  return reply.type('image/png').send(drawn.png);
}

function notYet(message: string): UploadError {
  return new UploadError('overloaded', message, { retryAfterSeconds: RETRY_SECONDS });
}
