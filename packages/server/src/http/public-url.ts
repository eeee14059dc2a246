/** The URL under which clients reach this server. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyRequest } from 'fastify';

/**
 * @param publicUrl the setting; null: the URL is made from the Host of this request.
 * @returns the URL without a slash at its end. @throws UploadError `invalid_request` when the request has no valid
 * host.
 */
export function publicBase(request: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl.replace(/\/+$/, '');
  try {
    return new URL(`${request.protocol}://${request.host}`).origin;
  } catch {
    throw new UploadError('invalid_request', 'The Host of this request is not valid in a URL.');
  }
}
