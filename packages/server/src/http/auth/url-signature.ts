/** Signed URLs: a query that lets whoever has the URL make one call, as it was signed, until it expires. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import type { SigningKey, SigningKeys } from './signing-keys.ts';

/** What a signature is good for. */
export interface SignedUse {
  /** A signed GET is good for HEAD, too. */
  readonly method: 'GET' | 'PUT';
  /** As the server sees it, without a prefix that a proxy takes off. */
  readonly path: string;
  /** Content-Length, bytes; null for calls without a body. */
  readonly lengthBytes: number | null;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/** A request as it came. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  /** As its Content-Length says; undefined without one. */
  readonly contentLength: string | undefined;
}

/** Says what is signed, and how: another form of the message would be another version. */
const VERSION = 'cryolift-url-1';
/** One way to write a number: what is signed is what stands in the URL. */
const NUMBER = /^(?:0|[1-9]\d{0,15})$/;

/** @returns the query, without its question mark. */
export function signUse(key: SigningKey, use: SignedUse): string {
  const { expiresAtMs, lengthBytes } = use;
  const length = lengthBytes === null ? '' : `&cl_len=${lengthBytes}`;
  return `cl_exp=${expiresAtMs}&cl_key=${key.id}${length}&cl_sig=${computeSignature(key, use)}`;
}

/** True when a request is to be judged by its signature. */
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
    throw new UploadError('signature_invalid', 'The signature of this URL is not one of this server for this request.');
  }
  if (expiresAtMs <= nowMs) throw new UploadError('signature_expired', 'This signed URL has expired.');
  // Without a length it is for the part to refuse.
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

/** Compared as text, so that there is one way to write a signature; how long it takes tells nothing. */
function areEqual(given: string, expected: string): boolean {
  const bytes = Buffer.from(given);
  return bytes.length === expected.length && timingSafeEqual(bytes, Buffer.from(expected));
}

function toNumber(text: unknown): number | undefined {
  return typeof text === 'string' && NUMBER.test(text) ? Number(text) : undefined;
}
