/** Lists of uploads and of their stored parts. */
import { setImmediate } from 'node:timers/promises';
import { toHex } from '@cryolift/protocol/digest';
import { UploadError } from '@cryolift/protocol/errors';
import type {
  OwnedUpload,
  OwnedUploadPage,
  StoredPart,
  StoredPartPage,
  UploadPage,
  UploadRecord,
} from '@cryolift/protocol/messages';
import { partExtent } from '@cryolift/protocol/plan';
import type { UploadState } from '@cryolift/protocol/states';
import { toPage } from '../db/page.ts';
import type { UploadRow } from '../db/tables.ts';
import { listParts } from '../db/uploads/parts.ts';
import { listUploadRows } from '../db/uploads/uploads.ts';
import type { AccessScope, UploadContext } from './context.ts';
import { findUpload } from './lookup.ts';
import { progressOf, toTime, toUpload } from './upload-record.ts';

export interface PageRequest {
  cursor?: string | undefined;
  limit: number;
}

/** The uploads of an owner or of a link, newest first. */
export async function listUploads(
  context: UploadContext,
  { owner, linkId }: { owner: string; linkId?: string | undefined },
  { cursor, limit, status }: PageRequest & { status?: UploadState | undefined },
): Promise<UploadPage> {
  const rows = await listUploadRows(context.db, owner, { status, linkId, before: cursor, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => row.id);
  const items: UploadRecord[] = [];
  for (const row of page.items) {
    items.push(await toUpload(context.db, row));
    // The missing parts of an upload take milliseconds to compute; this yields to other requests.
    await setImmediate();
  }
  return { ...page, items };
}

/** The uploads of all owners, newest first. */
export async function listAllUploads(
  context: UploadContext,
  { cursor, limit, status }: PageRequest & { status?: UploadState | undefined },
): Promise<OwnedUploadPage> {
  const rows = await listUploadRows(context.db, null, { status, before: cursor, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => row.id);
  return { ...page, items: page.items.map(toOwnedUpload) };
}

export function toOwnedUpload(row: UploadRow): OwnedUpload {
  return {
    upload_id: row.id,
    owner: row.owner,
    link_id: row.link_id,
    status: row.status,
    filename: row.filename,
    size: row.size,
    received_bytes: row.received_bytes,
    progress: progressOf(row),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
    expires_at: toTime(row.expires_at),
  };
}

/** The stored parts of an upload, ascending. */
export async function listStoredParts(
  context: UploadContext,
  access: AccessScope,
  uploadId: string,
  { cursor, limit }: PageRequest,
): Promise<StoredPartPage> {
  const row = await findUpload(context, access, uploadId);
  const parts = await listParts(context.db, row.id, readPartCursor(cursor, row.part_count), limit + 1);
  const page = toPage(parts, limit, (part) => String(part.idx));
  const items = page.items.map(
    (part): StoredPart => ({
      part: part.idx,
      size: partExtent(row.size, row.part_size, part.idx).length,
      sha256: toHex(part.sha256),
      stored_at: toTime(part.stored_at),
    }),
  );
  return { ...page, items };
}

/**
 * @returns the first part of the page. @throws UploadError `invalid_request` for a cursor that no page of this list
 * has.
 */
function readPartCursor(cursor: string | undefined, partCount: number): number {
  if (cursor === undefined) return 0;
  const last = Number(cursor);
  // After the last part there is no page.
  if (last < partCount - 1) return last + 1;
  throw new UploadError('invalid_request', `The request is not valid: ${cursor} is not a cursor of this list.`);
}
