/** Upload links. */
import { LinkPage, LinkRequest, PageQuery, RevokedLinks, UploadLink } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { makeLink, pageOfLinks, revokeLink, revokeLinksOf } from '../../uploads/upload-links.ts';
import { toTime } from '../../uploads/upload-record.ts';
import { accessOf, ownerOf } from '../auth/caller.ts';
import { publicBase } from '../public-url.ts';
import { NoContent, type Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';

const DEFAULT_SECONDS = 12 * 3600;

const LinkParams = Type.Object({ link_id: Type.String({ maxLength: 256 }) });
const Owner = Type.String({ minLength: 1, maxLength: 256, description: 'Owner of the links (sub).' });
const OwnedPageQuery = Type.Object(
  { ...PageQuery.properties, owner: Type.Optional(Owner) },
  { additionalProperties: false },
);
const OwnerQuery = Type.Object({ owner: Owner }, { additionalProperties: false });

const config = { scope: 'uploads:write' } as const;

export function registerLinks(app: Routes, services: Services): void {
  registerMake(app, services);
  registerList(app, services);
  registerRevoke(app, services);
  registerRevokeAll(app, services);
  registerAdminList(app, services);
  registerAdminRevoke(app, services);
}

function registerMake(app: Routes, { uploads: context, options }: Services): void {
  const defaultSeconds = Math.min(DEFAULT_SECONDS, context.policy.maxLinkMs / 1000);

  app.post(
    '/links',
    {
      config,
      schema: {
        operationId: 'createLink',
        tags: ['links'],
        summary: 'Creates an upload link, which permits only uploads.',
        body: LinkRequest,
        response: { 201: UploadLink },
        documented: { errors: ['quota_exceeded'] },
      },
    },
    async (request, reply) => {
      const { expires_in = defaultSeconds, max_bytes = null, max_files = null, note = null } = request.body ?? {};
      const base = publicBase(request, options.publicUrl);
      const asked = { seconds: expires_in, maxBytes: max_bytes, maxFiles: max_files, note };
      const { link, token } = await makeLink(context, ownerOf(request.caller), asked);
      reply.code(201);
      const expires_at = toTime(link.expiresAtMs);
      return { link_id: link.id, expires_at, max_bytes, max_files, note, url: `${base}/#token=${token}`, token };
    },
  );
}

function registerList(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/links',
    {
      config,
      schema: {
        operationId: 'listLinks',
        tags: ['links'],
        summary: "The caller's upload links, newest first, without their tokens.",
        querystring: PageQuery,
        response: { 200: LinkPage },
      },
    },
    async ({ caller, query: { limit = 100, cursor } }) =>
      await pageOfLinks(context, ownerOf(caller), { cursor, limit }),
  );
}

function registerRevoke(app: Routes, { uploads: context }: Services): void {
  app.delete(
    '/links/:link_id',
    {
      config,
      schema: {
        operationId: 'revokeLink',
        tags: ['links'],
        summary: 'Revokes an upload link; its uploads and files stay.',
        params: LinkParams,
        response: { 204: NoContent },
        documented: { errors: ['not_found'] },
      },
    },
    async ({ caller, params }, reply) => {
      await revokeLink(context, accessOf(caller), params.link_id);
      reply.code(204);
    },
  );
}

function registerRevokeAll(app: Routes, { uploads: context }: Services): void {
  app.delete(
    '/links',
    {
      config,
      schema: {
        operationId: 'revokeLinks',
        tags: ['links'],
        summary: "Revokes all of the caller's upload links.",
        response: { 200: RevokedLinks },
      },
    },
    async ({ caller }) => ({ revoked: await revokeLinksOf(context, ownerOf(caller)) }),
  );
}

function registerAdminList(app: Routes, { uploads: context }: Services): void {
  app.get(
    '/admin/links',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'listAllLinks',
        tags: ['admin'],
        summary: 'The upload links of all owners, newest first, or those of one owner.',
        querystring: OwnedPageQuery,
        response: { 200: LinkPage },
      },
    },
    async ({ query: { limit = 100, cursor, owner = null } }) => await pageOfLinks(context, owner, { cursor, limit }),
  );
}

function registerAdminRevoke(app: Routes, { uploads: context }: Services): void {
  app.delete(
    '/admin/links',
    {
      config: { scope: 'admin' },
      schema: {
        operationId: 'revokeLinksOfOwner',
        tags: ['admin'],
        summary: 'Revokes all upload links of one owner.',
        querystring: OwnerQuery,
        response: { 200: RevokedLinks },
      },
    },
    async (request) => {
      const { owner } = request.query;
      request.audited = { ...request.audited, owner };
      return { revoked: await revokeLinksOf(context, owner) };
    },
  );
}
