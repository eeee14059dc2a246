/** Lists of files: searched, sorted, by folder; and the deletion of many. */
import { DeletedFiles, DeleteRequest, FilePage, FileQuery, FileTree, TreeQuery } from '@cryolift/protocol/messages';
import { deleteFiles } from '../../files/deletion.ts';
import { listLibrary, listTree } from '../../files/library.ts';
import { canAccess } from '../../uploads/context.ts';
import { accessOf, ownerOf } from '../auth/caller.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { presentFile } from './files.ts';

const config = { scope: 'files:read' } as const;

export function registerLibrary(app: Routes, services: Services): void {
  registerList(app, services);
  registerTree(app, services);
  registerDeleteMany(app, services);
}

function registerList(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files',
    {
      config,
      schema: {
        operationId: 'listFiles',
        tags: ['files'],
        summary: "The caller's files, newest first, or as the query asks.",
        querystring: FileQuery,
        response: { 200: FilePage },
      },
    },
    async ({ caller, query: { limit = 100, ...query } }) => {
      const page = await listLibrary(context, ownerOf(caller), query, limit);
      return { ...page, items: page.items.map((file) => presentFile(context, caller, file)) };
    },
  );
}

function registerTree(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/files/tree',
    {
      config,
      schema: {
        operationId: 'listFolders',
        tags: ['files'],
        summary: "The folders of the caller's files directly below a prefix, by name.",
        querystring: TreeQuery,
        response: { 200: FileTree },
      },
    },
    async ({ caller, query: { limit = 100, ...query } }) =>
      await listTree(context, ownerOf(caller), { ...query, limit }),
  );
}

function registerDeleteMany(app: Routes, { uploads: context }: Services): void {
  app.post(
    '/files/delete',
    {
      config: { scope: 'files:delete' },
      schema: {
        operationId: 'deleteFiles',
        tags: ['files'],
        summary: 'Deletes many files permanently; safe to repeat.',
        body: DeleteRequest,
        response: { 200: DeletedFiles },
      },
    },
    async (request) => {
      const access = accessOf(request.caller);
      const ids = [...new Set(request.body.file_ids)];
      const deleted = await deleteFiles(context, ids, (owner) => canAccess(access, owner));
      request.auditedFiles = [...deleted];
      const outcomeOf = (id: string) => (deleted.has(id) ? ('deleted' as const) : ('not_found' as const));
      return { deleted: deleted.size, items: ids.map((id) => ({ file_id: id, outcome: outcomeOf(id) })) };
    },
  );
}
