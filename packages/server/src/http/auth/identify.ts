/** Identifies the caller of a request. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyRequest } from 'fastify';
import type { UploadContext } from '../../uploads/context.ts';
import { isLinkToken, openLink } from '../../uploads/upload-links.ts';
import { clientNetwork } from '../connection/client-network.ts';
import type { Services } from '../services.ts';
import { assertScope, type Caller, type LinkCaller, type SignedCaller } from './caller.ts';
import { isSigned, verifySignature } from './url-signature.ts';

/**
 * Identifies the caller and checks that the caller may make this call. Of a signed URL only the signature is checked;
 * an Authorization header beside it is ignored.
 *
 * @throws UploadError `unauthenticated`, `token_expired`, `forbidden`, `signature_invalid`, `signature_expired`.
 */
export async function identify(request: FastifyRequest, services: Services): Promise<Caller> {
  const { scope, signable = false, linkable = false, linkInQuery = false } = request.routeOptions.config;
  const { authorization } = request.headers;
  if (signable && isSigned(request.query)) return await identifySigned(request, services);
  const linkToken = linkInQuery && authorization === undefined ? tokenInQuery(request) : tokenOf(authorization);
  if (linkToken !== undefined && isLinkToken(linkToken)) {
    const caller = await identifyLink(services.uploads, linkToken);
    request.caller = caller;
    if (!linkable) throw new UploadError('forbidden', 'An upload link is for uploads alone.');
    return caller;
  }
  const caller = await services.authenticate(authorization);
  // Set before the scope is checked, so that the audit names a caller who is refused.
  request.caller = caller;
  if (scope) assertScope(caller, scope);
  return caller;
}

function tokenOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** @throws UploadError `unauthenticated` for another token than that of a link: URLs are no place for others. */
function tokenInQuery({ query }: FastifyRequest): string | undefined {
  const { token } = query as { token?: unknown };
  if (token === undefined || (typeof token === 'string' && isLinkToken(token))) return token;
  throw new UploadError('unauthenticated', 'The token in the URL is not that of an upload link.');
}

async function identifySigned(request: FastifyRequest, { signingKeys, uploads }: Services): Promise<SignedCaller> {
  const path = request.url.slice(0, request.url.indexOf('?'));
  const query = request.query as Record<string, unknown>;
  const signed = { method: request.method, path, query, contentLength: request.headers['content-length'] };
  const expiresAtMs = await verifySignature(signingKeys, signed, uploads.now());
  return { kind: 'signed', keyId: String(query.cl_key), network: clientNetwork(request.ip), expiresAtMs };
}

async function identifyLink(context: UploadContext, token: string): Promise<LinkCaller> {
  return { kind: 'link', link: await openLink(context, token) };
}
