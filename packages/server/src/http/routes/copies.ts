/** Files that are here already: which they are, and copies of them. */
import { CopyRequest, FileRecord, HaveRequest, KnownFiles, UploadRecord } from '@cryolift/protocol/messages';
import { findKnown } from '../../files/known.ts';
import { copyFile } from '../../uploads/copy.ts';
import { assertScope, ownerOf } from '../auth/caller.ts';
import { STORAGE_ERRORS } from '../openapi/operation.ts';
import { FileParams, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { presentFile } from './files.ts';
import { findFile } from './find-file.ts';

/** After this time a client asks again for a copy that takes longer than one request. */
const COPY_RETRY_SECONDS = 2;

export function registerCopies(app: Routes, services: Services): void {
  registerHave(app, services);
  registerCopy(app, services);
}

function registerHave(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/files/have',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'findKnownFiles',
        tags: ['files'],
        summary: 'Which of these files the caller has already.',
        body: HaveRequest,
        response: { 200: KnownFiles },
      },
    },
    async ({ caller, body }) => await findKnown(context, ownerOf(caller), body),
  );
}

function registerCopy(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/files/:file_id/copy',
    {
      config: { scope: 'uploads:write', isLong: true },
      schema: {
        operationId: 'copyFile',
        tags: ['files'],
        summary: 'Makes another file of the bytes of this one, without sending them; safe to repeat.',
        params: FileParams,
        body: CopyRequest,
        response: { 200: FileRecord, 201: FileRecord, 202: UploadRecord },
        documented: {
          scope: 'files:read',
          responseHeaders: { 200: ['Location'], 201: ['Location'], 202: ['Location', 'Retry-After'] },
          errors: [
            'file_not_found',
            'file_damaged',
            'dataset_not_found',
            'dataset_closed',
            'invalid_filename',
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
      const { caller, params, body } = request;
      // What is copied is read.
      assertScope(caller, 'files:read');
      const source = await findFile(context, caller, params.file_id);
      const done = await copyFile(context, source, body, request.id);
      if (done.kind === 'verifying') {
        const location = `/uploads/${done.upload.upload_id}`;
        reply.code(202).header('location', location).header('retry-after', String(COPY_RETRY_SECONDS));
        return done.upload;
      }
      reply.code(done.kind === 'present' ? 200 : 201).header('location', `/files/${done.file.id}`);
      return presentFile(context, caller, done.file);
    },
  );
}
