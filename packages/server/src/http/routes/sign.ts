/** Signed URLs: single calls handed to a client that has no token. */
import { setImmediate } from 'node:timers/promises';
import { UploadError } from '@cryolift/protocol/errors';
import { SignedDownload, SignedParts, SignFileRequest, SignPartsRequest } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT, partExtent } from '@cryolift/protocol/plan';
import type { FastifyRequest } from 'fastify';
import { getFile } from '../../files/files.ts';
import { canAccess } from '../../uploads/context.ts';
import { findUpload } from '../../uploads/lookup.ts';
import { assertOpen } from '../../uploads/part-receiver.ts';
import { toTime } from '../../uploads/upload-record.ts';
import { accessOf, accountOf, type Caller } from '../auth/caller.ts';
import { type SignedUse, signUse } from '../auth/url-signature.ts';
import { FairShare } from '../connection/fair-share.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { publicBase } from '../public-url.ts';
import { FileParams, type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';

const USUAL_SECONDS = 3600;
/** So many URLs are signed in one go: some milliseconds. */
const AT_ONCE = 100;
/** Requests for more than that which are worked on at the same time, and those of one caller. */
const MAX_LARGE = 4;
const MAX_LARGE_PER_OWNER = 1;

export function registerSign(app: Routes, { uploads: context, signingKeys, options }: Services): void {
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
      const row = await findUpload(context, accessOf(caller), params.upload_id);
      assertOpen(row);
      const parts = listParts(body.parts, row.part_count);
      const { expires_at, sign } = await signer(request, body.expires_in);
      const method = 'PUT' as const;
      const signPart = (part: number) => {
        const lengthBytes = partExtent(row.size, row.part_size, part).length;
        const url = sign({ method, path: `/uploads/${row.id}/part/${part}`, lengthBytes });
        return { part, method, url, headers: { 'Content-Length': String(lengthBytes) } };
      };
      if (parts.length <= AT_ONCE) return { expires_at, urls: parts.map(signPart) };
      return { expires_at, urls: await signMany(caller, parts, signPart) };
    },
  );

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
      const row = await getFile(context, params.file_id, (owner) => canAccess(accessOf(caller), owner));
      const { expires_at, sign } = await signer(request, body?.expires_in);
      const url = sign({ method: 'GET', path: `/files/${row.id}/content`, lengthBytes: null });
      return { expires_at, method: 'GET' as const, url, headers: {} };
    },
  );

  /** Other requests are answered in between. @throws UploadError `overloaded`. */
  async function signMany<T>(caller: Caller, parts: readonly number[], signPart: (part: number) => T): Promise<T[]> {
    const giveBack = large.take(accountOf(caller), 1);
    if (!giveBack) {
      throw new UploadError(
        'overloaded',
        `Only one request for more than ${AT_ONCE} signed URLs is answered at a time.`,
      );
    }
    try {
      const signed: T[] = [];
      for (let from = 0; from < parts.length; from += AT_ONCE) {
        signed.push(...parts.slice(from, from + AT_ONCE).map(signPart));
        await setImmediate();
      }
      return signed;
    } finally {
      giveBack();
    }
  }

  /** All that one request signs has one key and one end. */
  async function signer(request: FastifyRequest, seconds = USUAL_SECONDS) {
    const base = publicBase(request, options.publicUrl);
    const key = await signingKeys.current();
    const expiresAtMs = context.now() + seconds * 1000;
    return {
      expires_at: toTime(expiresAtMs),
      sign: (use: Omit<SignedUse, 'expiresAtMs'>) => `${base}${use.path}?${signUse(key, { ...use, expiresAtMs })}`,
    };
  }
}

/** @param ranges inclusive pairs. @throws UploadError `part_out_of_range`, `invalid_request`. */
function listParts(ranges: readonly (readonly number[])[], partCount: number): number[] {
  const parts: number[] = [];
  for (const [first = 0, last = 0] of ranges) {
    if (first > last) throw new UploadError('invalid_request', `[${first}, ${last}] is not a range: its end is first.`);
    if (first < 0 || last >= partCount) {
      throw new UploadError(
        'part_out_of_range',
        `There are no parts ${first} to ${last}; this upload has ${partCount}, counted from 0.`,
      );
    }
    if (parts.length + last - first >= MAX_PART_COUNT) {
      throw new UploadError('invalid_request', `More than ${MAX_PART_COUNT} URLs are asked for at once.`);
    }
    for (let part = first; part <= last; part++) parts.push(part);
  }
  return parts;
}
