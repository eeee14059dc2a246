/** Sections of an upload, available as soon as their bytes are stored. */
import { type PreviewRequest, slabAround } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { UploadRecord } from '@cryolift/protocol/messages';
import type { UploadRow } from '../../db/tables.ts';
import { listParts } from '../../db/uploads/parts.ts';
import { UPLOAD_PREVIEW_READY, uploadSubject } from '../../events/event.ts';
import type { UploadContext } from '../context.ts';
import type { Upload } from '../upload.ts';
import { toUpload } from '../upload-record.ts';
import { hasSectionsAlongZ, type PartRange, partsOfSections } from './section-parts.ts';

type Mrc = NonNullable<UploadRecord['mrc']>;

function partsOfPicture(
  { partCount, partSizeBytes }: Upload,
  mrc: Mrc,
  { kind, axis, slice, slab }: PreviewRequest,
): PartRange[] {
  if (kind !== 'section' || axis !== 'z' || slice === null || !hasSectionsAlongZ(mrc)) return [[0, partCount - 1]];
  // Only the header is needed to refuse a section that does not exist.
  if (slice >= mrc.nz) return [[0, 0]];
  const { from, to } = slabAround(mrc.nz / (mrc.geometry?.volumes ?? 1), slice, slab);
  return partsOfSections(mrc, from, to, partSizeBytes);
}

/** @throws UploadError `upload_incomplete` with the missing parts, when a picture needs bytes that have not arrived. */
export async function assertShowable(
  context: UploadContext,
  upload: Upload,
  mrc: Mrc,
  asked: PreviewRequest,
): Promise<void> {
  const needed = partsOfPicture(upload, mrc, asked);
  const missing: PartRange[] = [];
  for (const [first, end] of needed) {
    // The header of a forced upload may claim any size.
    const last = Math.min(end, upload.partCount - 1);
    const stored = new Set((await listParts(context.db, upload.id, first, last - first + 1)).map(({ idx }) => idx));
    for (let idx = first; idx <= last; idx++) {
      const before = missing.at(-1);
      if (stored.has(idx)) continue;
      if (before?.[1] === idx - 1) before[1] = idx;
      else missing.push([idx, idx]);
    }
  }
  if (missing.length === 0) return;
  throw new UploadError('upload_incomplete', 'Some parts of this picture have not arrived.', {
    hint: 'Send the missing parts, or ask for a section that has arrived.',
    details: { missing_parts: missing.slice(0, 1000) },
  });
}

/** The section in the middle of an upload has arrived. */
export async function emitSection(context: UploadContext, row: UploadRow, slice: number): Promise<void> {
  await context.outbox.transact(async (tx, emit) => {
    const url = `/uploads/${row.id}/preview?axis=z&slice=${slice}`;
    const previews = [{ kind: 'section', axis: 'z', slice, url }];
    await emit({
      type: UPLOAD_PREVIEW_READY,
      subject: uploadSubject(row.id),
      owner: row.owner,
      uploadId: row.id,
      time: context.now(),
      data: { ...(await toUpload(tx, row)), previews },
    });
  });
}
