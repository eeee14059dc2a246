/** Digest fields (RFC 9530) of resumable uploads. What is not checked is refused, as decision 9 says. */
import { createHash, type Hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { parseDigestHeader } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { parseDictionary } from './fields.ts';

/** Algorithms of Content-Digest: the name for Node, and the length of the digest in bytes. */
const ALGORITHMS = { 'sha-256': ['sha256', 32], 'sha-512': ['sha512', 64] } as const;
/** Checksums of other specifications. */
const OTHER_FIELDS = ['digest', 'content-md5'];

/** The digests of one body, computed while it arrives. */
export class ContentDigest {
  readonly #expected: readonly { readonly hash: Hash; readonly digest: Uint8Array }[];

  constructor(digests: ReadonlyMap<string, Uint8Array>) {
    this.#expected = [...digests].map(([name, digest]) => ({ hash: createHash(name), digest }));
  }

  update(bytes: Buffer): void {
    for (const { hash } of this.#expected) hash.update(bytes);
  }

  /** After the whole body. */
  matches(): boolean {
    return this.#expected.every(({ hash, digest }) => timingSafeEqual(hash.digest(), digest));
  }
}

/**
 * @returns what the body of this request must match; null when the client announced nothing.
 * @throws UploadError `unsupported_digest`, `invalid_request`.
 */
export function readContentDigest(headers: IncomingHttpHeaders): ContentDigest | null {
  const other = OTHER_FIELDS.find((name) => headers[name] !== undefined);
  if (other) throw new UploadError('unsupported_digest', `${other} is not supported.`, { hint: HINT });
  const value = headers['content-digest'];
  if (value === undefined) return null;
  const members = parseDictionary(value);
  if (!members || members.size === 0) throw malformed('Content-Digest');
  const digests = new Map<string, Uint8Array>();
  for (const [name, [digest]] of members) {
    const algorithm = ALGORITHMS[name as keyof typeof ALGORITHMS];
    if (!algorithm) {
      throw new UploadError('unsupported_digest', `Content-Digest: ${name} is not supported.`, { hint: HINT });
    }
    const [hashName, lengthBytes] = algorithm;
    if (!(digest instanceof ArrayBuffer) || digest.byteLength !== lengthBytes) throw malformed('Content-Digest');
    digests.set(hashName, new Uint8Array(digest));
  }
  return new ContentDigest(digests);
}

/**
 * @returns the SHA-256 that the whole file must have; null when the client announced nothing.
 * @throws UploadError `unsupported_digest`, `invalid_request`.
 */
export function readReprDigest(headers: IncomingHttpHeaders): Uint8Array | null {
  const value = headers['repr-digest'];
  if (value === undefined) return null;
  const parsed = parseDigestHeader(String(value));
  switch (parsed.kind) {
    case 'sha-256':
      return parsed.digest;
    case 'unsupported':
      throw new UploadError('unsupported_digest', `Repr-Digest: ${parsed.algorithm} is not supported.`, {
        hint: 'Send Repr-Digest with sha-256 only, or without it.',
      });
    case 'malformed':
      throw malformed('Repr-Digest');
  }
}

/** True when the value of Want-Repr-Digest asks for a SHA-256 (RFC 9530 section 4: a preference of 1 to 10). */
export function wantsSha256(value: string | string[] | null | undefined): boolean {
  const preference = parseDictionary(value ?? undefined)?.get('sha-256')?.[0];
  return typeof preference === 'number' && preference > 0;
}

const HINT = 'Send Content-Digest with sha-256 or sha-512, or no digest of the content.';

function malformed(field: string): UploadError {
  return new UploadError('invalid_request', `${field} is not of the form sha-256=:BASE64: (RFC 9530).`);
}
