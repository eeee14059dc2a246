/** Signs URLs with which a client stores parts in the storage by itself. */
import { isMrcName } from '@cryolift/mrc';
import type { UploadRow } from '../../db/tables.ts';
import { findParts } from '../../db/uploads/parts.ts';
import { noteSigned } from '../../db/uploads/signed-parts.ts';
import type { SignedPut } from '../../storage/presigner.ts';
import type { AccessScope, UploadContext } from '../context.ts';
import { findUpload } from '../lookup.ts';
import { assertOpen, assertParted } from '../parts/part-request.ts';
import { ensureStaged } from '../staging.ts';
import { toStaged } from '../upload-record.ts';

/** A URL that was signed before can be used until it expires, whatever happens to the part: few minutes. */
const DEFAULT_SECONDS = 300;
const LONGEST_SECONDS = 900;

export interface PartToSign {
  readonly idx: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** `stored`: the part is recorded. `proxied`: it has to come through this server. */
export type DirectPart =
  | { readonly kind: 'stored'; readonly idx: number; readonly sha256: Uint8Array }
  | { readonly kind: 'direct'; readonly idx: number; readonly put: SignedPut }
  | { readonly kind: 'proxied'; readonly idx: number };

/**
 * Where the storage takes nothing from clients, all parts have to come through this server.
 *
 * @param parts that the upload has, each once. @param seconds as the client asks for.
 * @throws UploadError as `findUpload` does; `upload_closed`, `upload_expired`; those of the storage.
 */
export async function signDirect(
  context: UploadContext,
  access: AccessScope,
  uploadId: string,
  parts: readonly PartToSign[],
  seconds = DEFAULT_SECONDS,
): Promise<{ expiresAtMs: number; lifeSeconds: number; parts: DirectPart[] }> {
  const { presigner } = context.storage;
  const row = await findUpload(context, access, uploadId);
  assertParted(row);
  assertOpen(row);
  context.doubtful.assertNone(row.id);
  const staged = toStaged(presigner ? await ensureStaged(context, row) : row);
  const lifeSeconds = Math.min(seconds, LONGEST_SECONDS);
  const expiresAtMs = context.now() + lifeSeconds * 1000;
  const find = async () =>
    await findParts(
      context.db,
      row.id,
      parts.map(({ idx }) => idx),
    );
  const before = await find();
  const unknown = parts.filter((part) => presigner && !before.has(part.idx) && isHeaderKnown(row, part));
  const open = await leaveOutReceived(context, row, unknown);
  // Before any URL exists, so that complete knows what can have been stored with it.
  const allowed = await noteSigned(context.db, row.id, open, expiresAtMs);
  const noted = open.filter((part) => allowed.has(part.idx));
  const direct = new Set(await leaveOutReceived(context, row, noted));
  // A part that came through this server meanwhile.
  const recorded = await find();
  const signed = await Promise.all(
    parts.map(async (part): Promise<DirectPart> => {
      const { idx, sha256 } = part;
      const stored = recorded.get(idx);
      if (stored) return { kind: 'stored', idx, sha256: stored.sha256 };
      if (!presigner || !direct.has(part)) return { kind: 'proxied', idx };
      return { kind: 'direct', idx, put: await presigner.sign(staged, idx, sha256, lifeSeconds) };
    }),
  );
  return { expiresAtMs, lifeSeconds, parts: signed };
}

/** Without those that a server is receiving. */
async function leaveOutReceived(
  { attempts }: UploadContext,
  row: UploadRow,
  parts: readonly PartToSign[],
): Promise<PartToSign[]> {
  const received = await attempts.listReceived(
    row.id,
    parts.map(({ idx }) => idx),
  );
  return parts.filter(({ idx }) => !received.has(idx));
}

/** The header of an MRC file must be known before its first part counts (decision 76). */
function isHeaderKnown(row: UploadRow, { idx }: PartToSign): boolean {
  return idx > 0 || !isMrcName(row.filename) || row.mrc !== null;
}
