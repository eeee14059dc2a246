/** Calls on published files. */
import { printDigestHeader, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { FileChanges, FileRecord } from '@cryolift/protocol/messages';
import { encodeExtended } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { deleteFile } from '../../files/deletion.ts';
import { type FileContext, readContent } from '../../files/files.ts';
import { changeMetadata } from '../../files/metadata.ts';
import type { StoredFile } from '../../files/stored-file.ts';
import { assertScope, type Caller, hasScope, ownerOf } from '../auth/caller.ts';
import { preconditionFailed } from '../conditions.ts';
import { CONDITIONS } from '../openapi/headers.ts';
import { STORAGE_ERRORS } from '../openapi/operation.ts';
import { selectBytes } from '../range.ts';
import { FileParams, NoContent, NotModified, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { findFile, findLinkedFile } from './find-file.ts';
import { mayProxySend, nameFile } from './sendfile.ts';

const CONTENT_HEADERS = ['ETag', 'Last-Modified', 'Accept-Ranges', 'Repr-Digest', 'Content-Disposition'] as const;
const BYTES_SCHEMA = { schema: Type.Any({ description: "The file's bytes." }) };
/** A file whose name says what it is has another type. */
const BYTES = { content: { 'application/octet-stream': BYTES_SCHEMA, '*/*': BYTES_SCHEMA } };

const config = { scope: 'files:read' } as const;

export function registerFiles(app: Routes, services: Services): void {
  registerShow(app, services);
  registerChange(app, services);
  registerDelete(app, services);
  registerContent(app, services);
}

function registerShow(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/:file_id',
    {
      config,
      schema: {
        operationId: 'getFile',
        tags: ['files'],
        summary: "A file's record.",
        params: FileParams,
        response: { 200: FileRecord },
        documented: { errors: ['file_not_found'] },
      },
    },
    async ({ caller, params }) => presentFile(context, caller, await findLinkedFile(context, caller, params.file_id)),
  );
}

function registerChange(app: Routes, { uploads: context }: Services): void {
  app.patch(
    '/files/:file_id',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'updateFile',
        tags: ['files'],
        summary: "Changes a file's metadata.",
        params: FileParams,
        body: FileChanges,
        response: { 200: FileRecord },
        documented: { scope: 'files:read', errors: ['file_not_found'] },
      },
    },
    async ({ caller, params, body }) => {
      // The answer is the record, which needs this scope.
      assertScope(caller, 'files:read');
      const { id } = await findFile(context, caller, params.file_id);
      return presentFile(context, caller, await changeMetadata(context, id, body.metadata, ownerOf(caller)));
    },
  );
}

function registerDelete(app: Routes, { uploads: context }: Services): void {
  app.delete(
    '/files/:file_id',
    {
      config: { scope: 'files:delete' },
      schema: {
        operationId: 'deleteFile',
        tags: ['files'],
        summary: 'Deletes a file permanently.',
        params: FileParams,
        response: { 204: NoContent },
        documented: { errors: ['file_not_found', ...STORAGE_ERRORS] },
      },
    },
    async ({ caller, params }, reply) => {
      await deleteFile(context, await findFile(context, caller, params.file_id));
      reply.code(204);
    },
  );
}

function registerContent(app: Routes, services: Services): void {
  const { uploads: context } = services;
  app.route({
    method: ['GET', 'HEAD'],
    url: '/files/:file_id/content',
    exposeHeadRoute: false,
    config: { ...config, signable: true, isLong: true, isStreamed: true },
    schema: {
      operationId: 'readFile',
      tags: ['files'],
      summary: "A file's bytes; conditions (RFC 9110 section 13) and one Range are honoured.",
      params: FileParams,
      response: { 200: BYTES, 206: BYTES, 304: NotModified },
      documented: {
        headers: [...CONDITIONS, 'Range', 'If-Range'],
        responseHeaders: { 200: CONTENT_HEADERS, 206: [...CONTENT_HEADERS, 'Content-Range'], 304: CONTENT_HEADERS },
        errors: ['file_not_found', 'precondition_failed', 'range_not_satisfiable', 'storage_unavailable'],
      },
    },
    handler: async (request, reply) => {
      const file = await findFile(context, request.caller, request.params.file_id);
      return await answerContent(services, request, reply, file);
    },
  });
}

/** Answers with the bytes that the conditions and the Range of the request ask for. */
async function answerContent(
  { uploads: context, options }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
): Promise<FastifyReply> {
  const { sizeBytes } = file;
  const { etag, earlierEtag } = tagsOf(file);
  // RFC 9110 section 14.2 defines ranges for GET alone.
  const { range, ...conditions } = request.headers;
  const asked = request.method === 'GET' ? request.headers : conditions;
  const selection = selectBytes(asked, { etag, earlierEtag, lastModifiedMs: file.createdAtMs }, sizeBytes);
  if (selection.kind === 'failed') throw preconditionFailed();
  setContentHeaders(reply, file, etag);
  switch (selection.kind) {
    case 'not_modified':
      return await reply.code(304).send();
    case 'unsatisfiable':
      reply.header('content-range', `bytes */${sizeBytes}`);
      throw new UploadError('range_not_satisfiable', `The file has ${sizeBytes} bytes.`);
    case 'range':
    case 'whole':
      break;
  }
  const wanted = selection.kind === 'range' ? selection : { start: 0, end: sizeBytes - 1 };
  // A proxy would send the bytes as they are stored.
  if (options.sendfile && sizeBytes > 0 && !file.place.isCompressed && mayProxySend(request)) {
    (await readContent(context, file, wanted)).destroy();
    nameFile(reply, options.sendfile, context.storage.files.locate(file.place));
    return await reply.type(file.contentType).send();
  }
  if (selection.kind === 'range') {
    reply.code(206).header('content-range', `bytes ${selection.start}-${selection.end}/${sizeBytes}`);
  }
  return await sendBytes(context, request.method, reply, file, wanted);
}

/** Of a file that was published before its SHA-256 was known, the tag that it had then identifies the same bytes. */
function tagsOf({ sha256, partsSha256 }: StoredFile): { etag: string; earlierEtag: string } {
  const earlierEtag = `"${toHex(partsSha256)}"`;
  return { etag: sha256 ? `"${toHex(sha256)}"` : earlierEtag, earlierEtag };
}

/** @returns the record of a file, with its location when the caller may see it. */
export function presentFile(context: FileContext, caller: Caller, file: StoredFile): FileRecord {
  if (!hasScope(caller, 'files:locate')) return file.record;
  return { ...file.record, location: context.storage.files.locate(file.place) };
}

function setContentHeaders(reply: FastifyReply, file: StoredFile, etag: string): void {
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('last-modified', new Date(file.createdAtMs).toUTCString())
    .header('content-disposition', contentDisposition(file.filename))
    // A browser that shows the file in spite of its disposition runs no script of it.
    .header('content-security-policy', "sandbox; default-src 'none'");
  // RFC 9530: the digest of the whole file, also with a range.
  if (file.sha256) reply.header('repr-digest', printDigestHeader(file.sha256));
}

async function sendBytes(
  context: FileContext,
  method: string,
  reply: FastifyReply,
  file: StoredFile,
  range: { start: number; end: number },
): Promise<FastifyReply> {
  const length = range.end - range.start + 1;
  const bytes = length === 0 ? null : await readContent(context, file, range);
  reply.type(file.contentType).header('content-length', length);
  if (!bytes || method === 'HEAD') {
    bytes?.destroy();
    return await reply.send();
  }
  return await reply.send(bytes);
}

/**
 * RFC 6266, in one form for all names. Clients read backslashes and percent signs in a quoted name in different ways,
 * so it has neither; `create` of the library would write them.
 */
function contentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  return `attachment; filename="${plain}"; filename*=${encodeExtended(filename)}`;
}
