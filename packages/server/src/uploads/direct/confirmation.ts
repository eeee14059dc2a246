/** Records parts that clients have sent to the storage by themselves, when the storage has what they say. */
import { UploadError } from '@cryolift/protocol/errors';
import type { ConfirmedParts } from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import { OPEN_STATES } from '@cryolift/protocol/states';
import type { PartRow, UploadRow } from '../../db/tables.ts';
import { findParts } from '../../db/uploads/parts.ts';
import { listSigned } from '../../db/uploads/signed-parts.ts';
import { findUploadRow } from '../../db/uploads/uploads.ts';
import type { Presigner, SentPart } from '../../storage/presigner.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { findUpload } from '../lookup.ts';
import { uploadClosed } from '../parts/part-request.ts';
import { progressOf, toStaged } from '../upload-record.ts';
import { type Confirmation, recordSent, type SentClaim } from './sent-part.ts';

interface Confirmed {
  readonly parts: readonly Confirmation[];
  /** After that. */
  readonly upload: Pick<ConfirmedParts, 'received_parts' | 'received_bytes' | 'progress' | 'status'>;
}

/**
 * Where the storage takes nothing from clients, only recorded parts are confirmed.
 *
 * @throws UploadError as `findUpload` does; `part_out_of_range`, `upload_closed`, `upload_expired`; those of the storage.
 */
export async function confirmParts(
  context: UploadContext,
  access: AccessScope,
  uploadId: string,
  claims: readonly SentClaim[],
): Promise<Confirmed> {
  const row = await findUpload(context, access, uploadId);
  const beyond = claims.find(({ idx }) => idx >= row.part_count);
  if (beyond) {
    const message = `There is no part ${beyond.idx}; this upload has ${row.part_count}, counted from 0.`;
    throw new UploadError('part_out_of_range', message);
  }
  context.doubtful.assertNone(row.id);
  const indices = [...new Set(claims.map(({ idx }) => idx))];
  const recorded = await findParts(context.db, row.id, indices);
  const rest = indices.filter((idx) => !recorded.has(idx));
  // A completed upload still confirms its parts.
  if (rest.length > 0 && !OPEN_STATES.includes(row.status)) throw uploadClosed(row);
  const { presigner } = context.storage;
  const evidence = presigner && rest.length > 0 ? await findEvidence(context, presigner, row, rest) : null;
  const confirmations: Confirmation[] = [];
  for (const claim of claims) {
    const part = recorded.get(claim.idx);
    if (part) confirmations.push(compareRecorded(part, claim));
    else if (evidence?.has(claim)) confirmations.push(await recordSent(context, row, claim));
    else confirmations.push({ idx: claim.idx, outcome: 'missing', sha256: null });
  }
  const now = (await findUploadRow(context.db, row.id)) ?? row;
  const { received_parts, received_bytes, status } = now;
  return { parts: confirmations, upload: { received_parts, received_bytes, progress: progressOf(now), status } };
}

function compareRecorded(part: PartRow, { idx, sha256 }: SentClaim): Confirmation {
  const isSame = Buffer.compare(part.sha256, sha256) === 0;
  return { idx, outcome: isSame ? 'deduplicated' : 'conflict', sha256: part.sha256 };
}

/** What the storage has, and which digests were signed. */
async function findEvidence(context: UploadContext, presigner: Presigner, row: UploadRow, indices: readonly number[]) {
  const [first, last] = [Math.min(...indices), Math.max(...indices)];
  const signed = new Map((await listSigned(context.db, row.id, first, last)).map((each) => [each.idx, each.sha256]));
  const sent = Map.groupBy(await presigner.findSent(toStaged(row), first, last), ({ idx }) => idx);
  return {
    has: (claim: SentClaim) =>
      (sent.get(claim.idx) ?? []).some((part) => isClaimed(row, part, claim, signed.get(claim.idx))),
  };
}

/** A service that lists no checksum has compared the part with the signed one: the only one that was ever signed. */
function isClaimed(row: UploadRow, part: SentPart, claim: SentClaim, signed: Uint8Array | undefined): boolean {
  const digest = part.sha256 ?? signed;
  const { length } = partExtent(row.size, row.part_size, claim.idx);
  return (
    part.receipt === claim.receipt &&
    part.sizeBytes === length &&
    digest !== undefined &&
    Buffer.compare(digest, claim.sha256) === 0
  );
}
