/** Calls on uploads. */
import { UploadError } from '@cryolift/protocol/errors';
import {
  CompleteRequest,
  FileRecord,
  InitRequest,
  PartQuery,
  StoredPartPage,
  UploadPage,
  UploadQuery,
  UploadRecord,
} from '@cryolift/protocol/messages';
import { cancelUpload } from '../../uploads/cancellation.ts';
import { completeUpload } from '../../uploads/completion.ts';
import { initUpload } from '../../uploads/creation.ts';
import { listStoredParts, listUploads } from '../../uploads/listing.ts';
import { showUpload } from '../../uploads/lookup.ts';
import { accessOf, linkOf, ownerOf } from '../auth/caller.ts';
import { ZSTD } from '../connection/zstd-receiver.ts';
import { STORAGE_ERRORS, UPLOAD_ERRORS } from '../openapi/operation.ts';
import { NoContent, type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { presentFile } from './files.ts';

const MAX_KEY_LENGTH = 255;
/** After this time a client asks again for a verification that takes longer than one request. */
const VERIFY_RETRY_SECONDS = 2;

const config = { scope: 'uploads:write', linkable: true } as const;

export function registerUploads(app: Routes, services: Services): void {
  registerInit(app, services);
  registerList(app, services);
  registerShow(app, services);
  registerPartList(app, services);
  registerComplete(app, services);
  registerCancel(app, services);
}

function registerInit(app: Routes, { uploads }: Services): void {
  app.post(
    '/uploads/init',
    {
      config,
      schema: {
        operationId: 'initUpload',
        tags: ['uploads'],
        summary: 'Starts an upload, or finds the one to resume.',
        body: InitRequest,
        response: { 200: UploadRecord, 201: UploadRecord },
        documented: {
          headers: ['Idempotency-Key'],
          responseHeaders: { 200: ['Accept-Encoding', 'Location'], 201: ['Accept-Encoding', 'Location'] },
          body: { filename: { ...InitRequest.properties.filename, minLength: 1 } },
          errors: [
            'dataset_not_found',
            'dataset_closed',
            'invalid_filename',
            'upload_not_found',
            'idempotency_conflict',
            'file_too_large',
            'quota_exceeded',
            'unsupported_file_type',
            'invalid_mrc',
            'invalid_tiff',
            ...STORAGE_ERRORS,
          ],
        },
      },
    },
    async (request, reply) => {
      const { caller, body, headers } = request;
      const key = parseIdempotencyKey(headers['idempotency-key']);
      const upload = await initUpload(uploads, ownerOf(caller), body, key, linkOf(caller));
      reply.code(upload.resumed ? 200 : 201).header('location', `/uploads/${upload.upload_id}`);
      reply.header('accept-encoding', ZSTD);
      return upload;
    },
  );
}

function registerList(app: Routes, { uploads }: Services): void {
  app.get(
    '/uploads',
    {
      config,
      schema: {
        operationId: 'listUploads',
        tags: ['uploads'],
        summary: "The caller's uploads, newest first.",
        querystring: UploadQuery,
        response: { 200: UploadPage },
      },
    },
    async ({ caller, query: { limit = 100, ...query } }) =>
      await listUploads(uploads, { owner: ownerOf(caller), linkId: linkOf(caller)?.id }, { ...query, limit }),
  );
}

function registerShow(app: Routes, { uploads }: Services): void {
  app.get(
    '/uploads/:upload_id',
    {
      config,
      schema: {
        operationId: 'getUpload',
        tags: ['uploads'],
        summary: 'State, progress and missing parts of an upload.',
        params: UploadParams,
        response: { 200: UploadRecord },
        documented: { errors: UPLOAD_ERRORS },
      },
    },
    async ({ caller, params }) => await showUpload(uploads, accessOf(caller), params.upload_id),
  );
}

function registerPartList(app: Routes, { uploads }: Services): void {
  app.get(
    '/uploads/:upload_id/parts',
    {
      config,
      schema: {
        operationId: 'listParts',
        tags: ['uploads'],
        summary: 'The stored parts with their digests, ascending.',
        params: UploadParams,
        querystring: PartQuery,
        response: { 200: StoredPartPage },
        documented: { errors: UPLOAD_ERRORS },
      },
    },
    async ({ caller, params, query: { limit = 100, cursor } }) =>
      await listStoredParts(uploads, accessOf(caller), params.upload_id, { cursor, limit }),
  );
}

function registerComplete(app: Routes, { uploads }: Services): void {
  app.post(
    '/uploads/:upload_id/complete',
    {
      config: { ...config, isLong: true },
      schema: {
        operationId: 'completeUpload',
        tags: ['uploads'],
        summary: 'Verifies the upload, publishes the file and returns its record; safe to repeat.',
        params: UploadParams,
        body: CompleteRequest,
        response: { 200: FileRecord, 202: UploadRecord },
        documented: {
          responseHeaders: { 202: ['Retry-After'] },
          errors: [
            ...UPLOAD_ERRORS,
            'file_not_found',
            'upload_incomplete',
            'upload_closed',
            'upload_expired',
            'file_checksum_mismatch',
            'invalid_mrc',
            'invalid_tiff',
          ],
        },
      },
    },
    async (request, reply) => {
      const { caller, params, body } = request;
      const done = await completeUpload(uploads, accessOf(caller), params.upload_id, body?.sha256, request.id);
      if (done.kind === 'completed') return presentFile(uploads, caller, done.file);
      reply.code(202).header('retry-after', String(VERIFY_RETRY_SECONDS));
      return done.upload;
    },
  );
}

function registerCancel(app: Routes, { uploads }: Services): void {
  app.delete(
    '/uploads/:upload_id',
    {
      config,
      schema: {
        operationId: 'cancelUpload',
        tags: ['uploads'],
        summary: 'Cancels the upload and frees its space; safe to repeat.',
        params: UploadParams,
        response: { 204: NoContent },
        documented: { errors: [...UPLOAD_ERRORS, 'upload_closed'] },
      },
    },
    async ({ caller, params }, reply) => {
      await cancelUpload(uploads, accessOf(caller), params.upload_id);
      reply.code(204);
    },
  );
}

function parseIdempotencyKey(key: string | string[] | undefined): string | null {
  if (key === undefined) return null;
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_LENGTH) {
    throw new UploadError('invalid_request', `Idempotency-Key has 1 to ${MAX_KEY_LENGTH} characters.`);
  }
  return key;
}
