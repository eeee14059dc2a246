/** Signed URLs: the query permits one call, exactly as it was signed, until it expires. No token is needed. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import type { SigningKey, SigningKeys } from './signing-keys.ts';

/** The call that a signature permits. */
export interface SignedUse {
  /** A signature for GET permits HEAD, too. */
  readonly method: 'GET' | 'PUT';
  /** As the server receives it: without a prefix that a proxy removes. */
  readonly path: string;
  /** Content-Length, bytes; null for calls without a body. */
  readonly lengthBytes: number | null;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** The parts of a request that are compared with the signature. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** The Content-Length header; undefined without one. */
  readonly contentLength: string | undefined;
}

/** Names the form of the signed message. Another form needs another version. */
const VERSION = 'cryolift-url-1';
/** Allows one spelling of a number, so that the signed value and the text in the URL are the same. */
const NUMBER = /^(?:0|[1-9]\d{0,15})$/;

/** @returns the query, without its question mark. */
export function signUse(key: SigningKey, use: SignedUse): string {
  const { expiresAtMs, lengthBytes } = use;
  const length = lengthBytes === null ? '' : `&cl_len=${lengthBytes}`;
  return `cl_exp=${expiresAtMs}&cl_key=${key.id}${length}&cl_sig=${computeSignature(key, use)}`;
}

/** True when the request has to be checked by its signature. */
export function isSigned(query: unknown): boolean {
  return Object.keys(query as object).some((name) => name.startsWith('cl_'));
}

/**
 * @returns when the signature expires, milliseconds since 1970.
 * @throws UploadError `signature_invalid` when it was not made for exactly this request; `signature_expired`.
 */
export async function verifySignature(keys: SigningKeys, request: SignedRequest, nowMs: number): Promise<number> {
  const { cl_exp, cl_key, cl_len, cl_sig, ...others } = request.query;
  const expiresAtMs = toNumber(cl_exp);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const lengthBytes = method === 'PUT' ? toNumber(cl_len) : null;
  const key = typeof cl_key === 'string' ? await keys.find(cl_key) : undefined;
  if (
    (method !== 'GET' && method !== 'PUT') ||
    !key ||
    expiresAtMs === undefined ||
    lengthBytes === undefined ||
    (lengthBytes === null && cl_len !== undefined) ||
    Object.keys(others).length > 0 ||
    typeof cl_sig !== 'string' ||
    !areEqual(cl_sig, computeSignature(key, { method, path: request.path, lengthBytes, expiresAtMs }))
  ) {
    throw new UploadError('signature_invalid', 'The signature of this URL is not valid for this request.');
  }
  if (expiresAtMs <= nowMs) throw new UploadError('signature_expired', 'This signed URL has expired.');
  // The part route refuses requests without a length.
  if (lengthBytes !== null && (request.contentLength ?? cl_len) !== cl_len) {
    throw new UploadError('signature_invalid', `This URL is signed for a body of ${lengthBytes} bytes.`);
  }
  return expiresAtMs;
}

/** base64url, RFC 2104 with SHA-256. */
function computeSignature(key: SigningKey, { method, path, lengthBytes, expiresAtMs }: SignedUse): string {
  const message = JSON.stringify([VERSION, method, path, lengthBytes, expiresAtMs, key.id]);
  return createHmac('sha256', key.secret).update(message).digest('base64url');
}

/** Compares in constant time, and as text, so that a signature has one spelling. */
function areEqual(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}

function toNumber(text: unknown): number | undefined {
  return typeof text === 'string' && NUMBER.test(text) ? Number(text) : undefined;
}
