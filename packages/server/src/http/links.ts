/** Upload links. */
import { LinkRequest, UploadLink } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { makeLink, takeBackLink } from '../uploads/links.ts';
import { toTime } from '../uploads/session.ts';
import { reachOf } from './caller.ts';
import { answers, NoContent, type Routes } from './contract.ts';
import { publicBase } from './origin.ts';
import type { Services } from './services.ts';

const USUAL_SECONDS = 12 * 3600;

const LinkParams = Type.Object({ link_id: Type.String({ maxLength: 256 }) });

export function registerLinks(app: Routes, { uploads: room, options }: Services): void {
  const config = { scope: 'uploads:write' } as const;

  app.post(
    '/links',
    {
      config,
      schema: {
        summary: 'Makes an upload link: what can upload, and do nothing else.',
        body: LinkRequest,
        response: answers({ 201: UploadLink }),
      },
    },
    async (request, reply) => {
      const { expires_in = USUAL_SECONDS, max_bytes = null, max_files = null } = request.body ?? {};
      const base = publicBase(request, options.publicUrl);
      const asked = { seconds: expires_in, maxBytes: max_bytes, maxFiles: max_files };
      const { link, token } = await makeLink(room, request.caller.sub, asked);
      reply.code(201);
      const expires_at = toTime(link.expires_at);
      return { link_id: link.id, expires_at, max_bytes, max_files, url: `${base}/#token=${token}`, token };
    },
  );

  app.delete(
    '/links/:link_id',
    {
      config,
      schema: {
        summary: 'Takes an upload link back; what was uploaded with it stays.',
        params: LinkParams,
        response: answers({ 204: NoContent }),
      },
    },
    async ({ caller, params }, reply) => {
      await takeBackLink(room, reachOf(caller), params.link_id);
      reply.code(204);
    },
  );
}
