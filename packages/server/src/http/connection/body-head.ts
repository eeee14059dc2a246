/** What the head of a request says of a body that its route reads itself. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** @returns bytes; null: chunked (RFC 9112 section 6.3). */
export function bodyLengthOf(headers: IncomingHttpHeaders): number | null {
  if (headers['transfer-encoding'] !== undefined) return null;
  return Number(headers['content-length'] ?? 0);
}

/** The bytes of the body are not those of the file (RFC 9110 section 8.4). */
export function isContentCoded(headers: IncomingHttpHeaders): boolean {
  const coding = headers['content-encoding'];
  return coding !== undefined && coding !== 'identity';
}

/**
 * The type in Content-Type without its parameters, in lower case. Not from `headers`, which `takeAnyBody` has changed.
 */
export function mediaTypeOf({ headersDistinct }: Pick<IncomingMessage, 'headersDistinct'>): string | undefined {
  return headersDistinct['content-type']?.[0]?.split(';')[0]?.trim().toLowerCase();
}
