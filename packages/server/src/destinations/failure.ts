import { ConnectionError, ForeignReplyError } from '@cryolift/client';

/**
 * What the owner of a dataset reads about a failed attempt. The address of the destination is not in it: it says how a
 * network is built. @param destination its name.
 */
export function describeFailure(error: unknown, destination: string): string {
  if (error instanceof ForeignReplyError) {
    return `The answer of the destination ${destination} does not come from a Cryolift server.`;
  }
  const code = networkCodeOf(error);
  if (code !== null) return `The destination ${destination} cannot be reached (${code}).`;
  if (error instanceof ConnectionError) return `The connection to the destination ${destination} was lost.`;
  return error instanceof Error ? error.message : String(error);
}

/** @returns the code of Node or of OpenSSL, such as `ECONNREFUSED`; null: no connection has failed. */
export function networkCodeOf(error: unknown): string | null {
  const failed = error instanceof ConnectionError ? error.cause : error;
  if (!(failed instanceof Error)) return null;
  const { code, syscall } = failed as NodeJS.ErrnoException;
  const isOfNetwork =
    error instanceof ConnectionError || ['connect', 'getaddrinfo', 'read', 'write'].includes(syscall ?? '');
  return isOfNetwork && typeof code === 'string' ? code : null;
}
