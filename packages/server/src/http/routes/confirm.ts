/** Confirms parts that a client has sent to the object storage. */
import { fromHex, toHex } from '@cryolift/protocol/digest';
import { ConfirmedParts, ConfirmPartsRequest } from '@cryolift/protocol/messages';
import { confirmParts } from '../../uploads/direct/confirmation.ts';
import { accessOf } from '../auth/caller.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';

export function registerConfirm(app: Routes, { uploads }: Services): void {
  app.post(
    '/uploads/:upload_id/parts/confirm',
    {
      config: { scope: 'uploads:write' },
      schema: {
        operationId: 'confirmParts',
        tags: ['uploads'],
        summary: 'Counts parts that were sent to the object storage; safe to repeat.',
        params: UploadParams,
        body: ConfirmPartsRequest,
        response: { 200: ConfirmedParts },
        documented: { errors: [...UPLOAD_ERRORS, 'part_out_of_range', 'upload_closed', 'upload_expired'] },
      },
    },
    async ({ caller, params, body }) => {
      const claims = body.map(({ part, etag, sha256 }) => ({
        idx: part,
        receipt: etag.replace(/^"|"$/g, ''),
        sha256: fromHex(sha256) as Uint8Array,
      }));
      const { parts, upload } = await confirmParts(uploads, accessOf(caller), params.upload_id, claims);
      return {
        parts: parts.map(({ idx, outcome, sha256 }) => ({ part: idx, outcome, sha256: sha256 && toHex(sha256) })),
        ...upload,
      };
    },
  );
}
