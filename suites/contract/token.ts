/** JSON Web Tokens by hand (RFC 7515), so that a test can make the wrong ones, too. */
import { createHmac, type KeyObject, sign } from 'node:crypto';

export interface Claims {
  readonly sub?: string;
  /** Separated by spaces. */
  readonly scope?: string;
  /** Below 0: it has expired. */
  readonly ttlSeconds?: number;
  /** Not before, seconds since 1970. */
  readonly nbf?: number;
  readonly iss?: string;
  readonly aud?: string | readonly string[];
}

/** The default claims: a caller who may write, read and delete. */
export function toPayload({ ttlSeconds = 3600, ...claims }: Claims = {}): object {
  const now = Math.floor(Date.now() / 1000);
  const scope = 'uploads:write files:read files:delete';
  return { sub: 'somebody', scope, iat: now, exp: now + ttlSeconds, ...claims };
}

/** @param algorithm as in the token's header; `none` leaves the signature empty. */
export function signToken(payload: object, algorithm: string, key: string | KeyObject): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${signBytes(Buffer.from(signed), algorithm, key).toString('base64url')}`;
}

function signBytes(bytes: Buffer, algorithm: string, key: string | KeyObject): Buffer {
  if (algorithm === 'none') return Buffer.alloc(0);
  if (typeof key === 'string') return createHmac('sha256', key).update(bytes).digest();
  if (algorithm === 'EdDSA') return sign(null, bytes, key);
  return sign('sha256', bytes, algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key);
}
