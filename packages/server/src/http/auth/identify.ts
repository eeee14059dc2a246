/** From a request to its caller. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyRequest } from 'fastify';
import type { UploadContext } from '../../uploads/context.ts';
import { isLinkToken, openLink } from '../../uploads/upload-links.ts';
import { clientNetwork } from '../connection/client-network.ts';
import type { Services } from '../services.ts';
import { assertScope, type Caller } from './caller.ts';
import { isSigned, verifySignature } from './url-signature.ts';

/**
 * Whoever calls, allowed to make this call. A signed URL is judged by its signature alone, whatever Authorization comes with it.
 *
 * @throws UploadError `unauthenticated`, `token_expired`, `forbidden`, `signature_invalid`, `signature_expired`.
 */
export async function identify(request: FastifyRequest, services: Services): Promise<Caller> {
  const { scope, signable = false, linkable = false } = request.routeOptions.config;
  const { authorization } = request.headers;
  if (signable && isSigned(request.query)) return await identifySigned(request, services);
  const linkToken = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (linkToken !== undefined && isLinkToken(linkToken)) {
    const caller = await identifyLink(services.uploads, linkToken);
    request.caller = caller;
    if (!linkable) throw new UploadError('forbidden', 'An upload link is for uploads alone.');
    return caller;
  }
  const caller = await services.authenticate(authorization);
  // The audit tells who was refused.
  request.caller = caller;
  if (scope) assertScope(caller, scope);
  return caller;
}

async function identifySigned(request: FastifyRequest, { signingKeys, uploads }: Services): Promise<Caller> {
  const path = request.url.slice(0, request.url.indexOf('?'));
  const query = request.query as Record<string, unknown>;
  const signed = { method: request.method, path, query, contentLength: request.headers['content-length'] };
  const expiresAtMs = await verifySignature(signingKeys, signed, uploads.now());
  // The path is signed, so that whatever the call reaches was meant. Calls of one network are counted together: an owner can
  // sign any number of URLs.
  return { sub: `signed:${clientNetwork(request.ip)}`, scopes: new Set(), expiresAtMs, access: 'everybody' };
}

async function identifyLink(context: UploadContext, token: string): Promise<Caller> {
  const link = await openLink(context, token);
  const { id: linkId, owner, expires_at: expiresAtMs } = link;
  return { sub: owner, scopes: new Set(), expiresAtMs, access: { owner, linkId }, link };
}
