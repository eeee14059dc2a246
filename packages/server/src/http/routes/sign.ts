/** Makes signed URLs, with which a client without a token can make single calls. */
import { setImmediate } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { SignedDownload, SignedParts, SignFileRequest, SignPartsRequest } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT, partExtent } from '@cryolift/protocol/plan';
import type { FastifyRequest } from 'fastify';
import { getUpload } from '../../uploads/lookup.ts';
import { assertOpen } from '../../uploads/parts/part-request.ts';
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
        summary: 'Signed URLs for named parts, for a client without a token.',
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
      const { expires_at, sign } = await createSigner(services, request, body.expires_in);
      const method = 'PUT' as const;
      const signPart = (part: number) => {
        const lengthBytes = partExtent(upload.sizeBytes, upload.partSizeBytes, part).length;
        const url = sign({ method, path: `/uploads/${upload.id}/part/${part}`, lengthBytes });
        return { part, method, url, headers: { 'Content-Length': String(lengthBytes) } };
      };
      if (parts.length <= AT_ONCE) return { expires_at, urls: parts.map(signPart) };
      return { expires_at, urls: await signMany(large, caller, parts, signPart) };
    },
  );
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

/** All URLs of one request have the same key and expire at the same time. */
async function createSigner(
  { uploads, signingKeys, options }: Services,
  request: FastifyRequest,
  seconds = DEFAULT_SECONDS,
) {
  const base = publicBase(request, options.publicUrl);
  const key = await signingKeys.current();
  const expiresAtMs = uploads.now() + seconds * 1000;
  return {
    expires_at: toTime(expiresAtMs),
    sign: (use: Omit<SignedUse, 'expiresAtMs'>) => `${base}${use.path}?${signUse(key, { ...use, expiresAtMs })}`,
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
