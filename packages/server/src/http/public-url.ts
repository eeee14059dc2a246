/** The address that clients have for this server. */
import { UploadError } from '@cryolift/protocol/errors';
import type { FastifyRequest } from 'fastify';

/**
 * @param publicUrl as the setting says it, or null: then as this request came.
 * @returns without a slash at the end. @throws UploadError `invalid_request` when the request names no host.
 */
export function publicBase(request: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl.replace(/\/+$/, '');
  try {
    return new URL(`${request.protocol}://${request.host}`).origin;
  } catch {
    throw new UploadError('invalid_request', 'The Host of this request is not one that a URL can be made of.');
  }
}
