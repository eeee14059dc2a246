/** Calls on published files. */
import { printDigestHeader, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { FileChanges, FilePage, FileRecord, PageQuery } from '@cryolift/protocol/messages';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { deleteFile, type FileContext, type FileRow, getFile, listOwned, readContent } from '../../files/files.ts';
import { changeMetadata } from '../../files/metadata.ts';
import { toFilePlace, toFileRecord } from '../../files/record.ts';
import { canAccess } from '../../uploads/context.ts';
import { accessOf, assertScope, type Caller, hasScope } from '../auth/caller.ts';
import { preconditionFailed } from '../conditions.ts';
import { CONDITIONS } from '../openapi/headers.ts';
import { STORAGE_ERRORS } from '../openapi/operation.ts';
import { selectBytes } from '../range.ts';
import { FileParams, NoContent, NotModified, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

const CONTENT_HEADERS = ['ETag', 'Last-Modified', 'Accept-Ranges', 'Repr-Digest', 'Content-Disposition'] as const;
const BYTES_SCHEMA = { schema: Type.Any({ description: "The file's bytes." }) };
/** A file whose name says what it is has another type. */
const BYTES = { content: { 'application/octet-stream': BYTES_SCHEMA, '*/*': BYTES_SCHEMA } };

export function registerFiles(app: Routes, { uploads: context }: Services): void {
  const config = { scope: 'files:read' } as const;
  const find = (caller: Caller, id: string) => getFile(context, id, (owner) => canAccess(accessOf(caller), owner));

  app.get(
    '/files',
    {
      config,
      schema: {
        operationId: 'listFiles',
        tags: ['files'],
        summary: "The caller's files, newest first.",
        querystring: PageQuery,
        response: { 200: FilePage },
      },
    },
    async ({ caller, query: { limit = 100, cursor } }) => {
      const page = await listOwned(context, caller.sub, { cursor, limit });
      return { ...page, items: page.items.map((row) => presentFile(context, caller, row)) };
    },
  );

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
    async ({ caller, params }) => presentFile(context, caller, await find(caller, params.file_id)),
  );

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
      // The answer is the record.
      assertScope(caller, 'files:read');
      const row = await find(caller, params.file_id);
      return presentFile(context, caller, await changeMetadata(context, row.id, body.metadata, caller.sub));
    },
  );

  app.delete(
    '/files/:file_id',
    {
      config: { scope: 'files:delete' },
      schema: {
        operationId: 'deleteFile',
        tags: ['files'],
        summary: 'Deletes a file for good.',
        params: FileParams,
        response: { 204: NoContent },
        documented: { errors: ['file_not_found', ...STORAGE_ERRORS] },
      },
    },
    async ({ caller, params }, reply) => {
      await deleteFile(context, await find(caller, params.file_id));
      reply.code(204);
    },
  );

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
      const row = await find(request.caller, request.params.file_id);
      const etag = `"${toHex(row.sha256)}"`;
      // RFC 9110 section 14.2 defines ranges for GET alone.
      const { range, ...conditions } = request.headers;
      const asked = request.method === 'GET' ? request.headers : conditions;
      const selection = selectBytes(asked, { etag, lastModifiedMs: row.created_at }, row.size);
      if (selection.kind === 'failed') throw preconditionFailed();
      describeContent(reply, row, etag);
      switch (selection.kind) {
        case 'not_modified':
          return await reply.code(304).send();
        case 'unsatisfiable':
          reply.header('content-range', `bytes */${row.size}`);
          throw new UploadError('range_not_satisfiable', `The file has ${row.size} bytes.`);
        case 'range':
          reply.code(206).header('content-range', `bytes ${selection.start}-${selection.end}/${row.size}`);
          return await sendBytes(context, request.method, reply, row, selection);
        case 'whole':
          return await sendBytes(context, request.method, reply, row, { start: 0, end: row.size - 1 });
      }
    },
  });
}

/** A file's record as this caller may see it. */
export function presentFile(context: FileContext, caller: Caller, row: FileRow): FileRecord {
  return toFileRecord(row, hasScope(caller, 'files:locate') ? context.storage.files.locate(toFilePlace(row)) : null);
}

function describeContent(reply: FastifyReply, row: FileRow, etag: string): void {
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('last-modified', new Date(row.created_at).toUTCString())
    // RFC 9530: of the whole representation, also with a range.
    .header('repr-digest', printDigestHeader(row.sha256))
    .header('content-disposition', contentDisposition(row.filename))
    // Whatever a file says that it is, a browser that shows it all the same runs nothing of it in our name.
    .header('content-security-policy', "sandbox; default-src 'none'");
}

async function sendBytes(
  context: FileContext,
  method: string,
  reply: FastifyReply,
  row: FileRow,
  range: { start: number; end: number },
): Promise<FastifyReply> {
  const length = range.end - range.start + 1;
  const bytes = length === 0 ? null : await readContent(context, row, range);
  reply.type(row.content_type).header('content-length', length);
  if (!bytes || method === 'HEAD') {
    bytes?.destroy();
    return await reply.send();
  }
  return await reply.send(bytes);
}

/** RFC 6266, with the name in RFC 8187 form for what is not plain ASCII. */
function contentDisposition(filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(filename).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
