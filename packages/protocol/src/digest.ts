/** Strict parsing of the digest headers of RFC 9530, and the hex form used in JSON. Only SHA-256 is supported. */

const SHA256_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/;
/** 32 bytes in base64: 43 characters and one pad; the last character holds four bits and two zero bits. */
const BASE64_SHA256 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
/** RFC 8941 dictionary member whose value is a byte sequence: `key=:base64:`. */
const MEMBER = /^([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/=]*):$/;

export type DigestHeader =
  | { kind: 'sha-256'; digest: Uint8Array }
  | { kind: 'unsupported'; algorithm: string }
  | { kind: 'malformed' };

/**
 * Parses `Content-Digest` or `Repr-Digest` (RFC 9530: an RFC 8941 dictionary of byte sequences).
 *
 * Stricter than the RFC, which lets a receiver ignore algorithms: any other than `sha-256` is reported as unsupported,
 * so that no check a client requested is silently dropped. Parameters and repeated members are malformed.
 */
export function parseDigestHeader(value: string): DigestHeader {
  let digest: Uint8Array | undefined;
  let unsupported: string | undefined;
  for (const member of value.split(',')) {
    const match = MEMBER.exec(member.trim());
    if (!match) return { kind: 'malformed' };
    const [, algorithm, base64] = match as unknown as [string, string, string];
    if (algorithm !== 'sha-256') {
      unsupported ??= algorithm;
      continue;
    }
    if (digest || !BASE64_SHA256.test(base64)) return { kind: 'malformed' };
    digest = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  }
  if (unsupported !== undefined) return { kind: 'unsupported', algorithm: unsupported };
  return digest ? { kind: 'sha-256', digest } : { kind: 'malformed' };
}

/** Prints a SHA-256 for `Content-Digest` or `Repr-Digest`: `sha-256=:BASE64:`. */
export function printDigestHeader(digest: Uint8Array): string {
  if (digest.length !== SHA256_BYTES) throw new RangeError(`a SHA-256 has 32 bytes, not ${digest.length}`);
  return `sha-256=:${btoa(String.fromCharCode(...digest))}:`;
}

/** Lower-case hex of a digest, as used in JSON. */
export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** 64 characters of lower-case hex to 32 bytes; null for anything else. */
export function fromHex(hex: string): Uint8Array | null {
  if (!HEX.test(hex)) return null;
  return Uint8Array.from({ length: SHA256_BYTES }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16));
}
