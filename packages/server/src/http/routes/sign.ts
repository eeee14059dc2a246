/** Makes signed URLs, with which a client without a token can make single calls. */
import { setImmediate } from 'node:timers/promises';
import { fromHex, toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import { SignedDownload, SignedParts, SignFileRequest, SignPartsRequest } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT, partExtent } from '@cryolift/protocol/plan';
import type { FastifyRequest } from 'fastify';
import { type PartToSign, signDirect } from '../../uploads/direct/signing.ts';
import { getUpload } from '../../uploads/lookup.ts';
import { assertOpen } from '../../uploads/parts/part-request.ts';
import type { Upload } from '../../uploads/upload.ts';
import { toTime } from '../../uploads/upload-record.ts';
import { accessOf, accountOf, type Caller } from '../auth/caller.ts';
import { type SignedUse, signUse } from '../auth/url-signature.ts';
import { FairShare } from '../connection/fair-share.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { publicBase } from '../public-url.ts';
import { FileParams, type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { findFile } from './find-file.ts';

const DEFAULT_SECONDS = 3600;
/** The number of URLs that are signed without a pause, which takes some milliseconds. */
const AT_ONCE = 100;
/** Requests for more URLs that are handled at the same time, and those of one caller. */
const MAX_LARGE = 4;
const MAX_LARGE_PER_OWNER = 1;

export function registerSign(app: Routes, services: Services): void {
  registerSignParts(app, services);
  registerSignFile(app, services);
}

function registerSignParts(app: Routes, services: Services): void {
  const { uploads: context } = services;
  const large = new FairShare(MAX_LARGE, MAX_LARGE_PER_OWNER);

  app.post(
    '/uploads/:upload_id/sign',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'signParts',
        tags: ['uploads'],
        summary: 'Signed URLs for named parts: of this server for a client without a token, or of the object storage.',
        params: UploadParams,
        body: SignPartsRequest,
        response: { 200: SignedParts },
        documented: { errors: [...UPLOAD_ERRORS, 'part_out_of_range', 'upload_closed', 'upload_expired'] },
      },
    },
    async (request) => {
      const { caller, params, body } = request;
      const upload = await getUpload(context, accessOf(caller), params.upload_id);
      assertOpen(upload);
      const parts = listParts(body.parts, upload.partCount);
      if (body.sha256) return await signDigested(services, request, upload, pairDigests(parts, body.sha256));
      const { expires_at, sign } = await createSigner(services, request, body.expires_in);
      const signPart = (part: number) => signOwn(sign, upload, part);
      if (parts.length <= AT_ONCE) return { expires_at, urls: parts.map(signPart) };
      return { expires_at, urls: await signMany(large, caller, parts, signPart) };
    },
  );
}

/**
 * URLs of the object storage. Parts that it does not take from clients get URLs of this server.
 *
 * @param expires_in of the body.
 */
async function signDigested(
  services: Services,
  request: FastifyRequest<{ Body: { expires_in?: number } }>,
  upload: Upload,
  digested: readonly PartToSign[],
) {
  const { caller, body } = request;
  const signed = await signDirect(services.uploads, accessOf(caller), upload.id, digested, body.expires_in);
  const { sign } = await createSigner(services, request, signed.lifeSeconds);
  const urls = signed.parts.flatMap((part) => {
    if (part.kind === 'stored') return [];
    if (part.kind === 'proxied') return [{ ...signOwn(sign, upload, part.idx), direct: false }];
    const { url, headers } = part.put;
    return [{ part: part.idx, method: 'PUT' as const, url, headers: { ...headers }, direct: true }];
  });
  const stored = signed.parts.flatMap((part) =>
    part.kind === 'stored' ? [{ part: part.idx, sha256: toHex(part.sha256) }] : [],
  );
  return { expires_at: toTime(signed.expiresAtMs), urls, stored };
}

/** A URL of this server. */
function signOwn(sign: Sign, upload: Upload, part: number) {
  const method = 'PUT' as const;
  const lengthBytes = partExtent(upload.sizeBytes, upload.partSizeBytes, part).length;
  const url = sign({ method, path: `/uploads/${upload.id}/part/${part}`, lengthBytes });
  return { part, method, url, headers: { 'Content-Length': String(lengthBytes) } };
}

/** @throws UploadError `invalid_request`. */
function pairDigests(parts: readonly number[], digests: readonly string[]): PartToSign[] {
  if (parts.length !== digests.length) {
    throw new UploadError(
      'invalid_request',
      `parts names ${parts.length} parts; sha256 has ${digests.length} digests.`,
    );
  }
  if (new Set(parts).size !== parts.length) throw new UploadError('invalid_request', 'parts names a part twice.');
  return parts.map((idx, at) => ({ idx, sha256: fromHex(digests[at] as string) as Uint8Array }));
}

function registerSignFile(app: Routes, services: Services): void {
  const { uploads: context } = services;

  app.post(
    '/files/:file_id/sign',
    {
      config: { scope: 'files:read' },
      schema: {
        operationId: 'signFile',
        tags: ['files'],
        summary: 'A signed download URL, for a client without a token.',
        params: FileParams,
        body: SignFileRequest,
        response: { 200: SignedDownload },
        documented: { errors: ['file_not_found'] },
      },
    },
    async (request) => {
      const { caller, params, body } = request;
      const file = await findFile(context, caller, params.file_id);
      const { expires_at, sign } = await createSigner(services, request, body?.expires_in);
      const url = sign({ method: 'GET', path: `/files/${file.id}/content`, lengthBytes: null });
      return { expires_at, method: 'GET' as const, url, headers: {} };
    },
  );
}

/** Signs with pauses, in which other requests are answered. @throws UploadError `overloaded`. */
async function signMany<T>(
  large: FairShare,
  caller: Caller,
  parts: readonly number[],
  signPart: (part: number) => T,
): Promise<T[]> {
  const release = large.take(accountOf(caller), 1);
  if (!release) {
    throw new UploadError('overloaded', `Only one request for more than ${AT_ONCE} signed URLs is answered at a time.`);
  }
  try {
    const signed: T[] = [];
    for (let from = 0; from < parts.length; from += AT_ONCE) {
      signed.push(...parts.slice(from, from + AT_ONCE).map(signPart));
      await setImmediate();
    }
    return signed;
  } finally {
    release();
  }
}

type Sign = (use: Omit<SignedUse, 'expiresAtMs'>) => string;

/** All URLs of one request have the same key and expire at the same time. */
export async function createSigner(services: Services, request: FastifyRequest, seconds = DEFAULT_SECONDS) {
  return await createSignerUntil(services, request, services.uploads.now() + seconds * 1000);
}

/** As `createSigner`. @param expiresAtMs milliseconds since 1970. */
export async function createSignerUntil(
  { signingKeys, options }: Services,
  request: FastifyRequest,
  expiresAtMs: number,
) {
  const base = publicBase(request, options.publicUrl);
  const key = await signingKeys.current();
  return {
    expires_at: toTime(expiresAtMs),
    sign: ((use) => `${base}${use.path}?${signUse(key, { ...use, expiresAtMs })}`) satisfies Sign,
  };
}

/** @param ranges inclusive pairs. @throws UploadError `part_out_of_range`, `invalid_request`. */
function listParts(ranges: readonly (readonly number[])[], partCount: number): number[] {
  const parts: number[] = [];
  for (const [first = 0, last = 0] of ranges) {
    if (first > last)
      throw new UploadError('invalid_request', `[${first}, ${last}] is not a range: it ends before it starts.`);
    if (first < 0 || last >= partCount) {
      throw new UploadError(
        'part_out_of_range',
        `There are no parts ${first} to ${last}; this upload has ${partCount}, counted from 0.`,
      );
    }
    if (parts.length + last - first >= MAX_PART_COUNT) {
      throw new UploadError('invalid_request', `More than ${MAX_PART_COUNT} URLs are requested at once.`);
    }
    for (let part = first; part <= last; part++) parts.push(part);
  }
  return parts;
}
