/** Sections of an upload, shown as soon as the bytes of one are there. */
import type { PreviewRequest } from '@cryolift/mrc';
import { UploadError } from '@cryolift/protocol/errors';
import type { Session } from '@cryolift/protocol/messages';
import { transact } from '../db/database.ts';
import { insertEvent } from '../db/events.ts';
import { listParts } from '../db/parts.ts';
import type { UploadRow } from '../db/tables.ts';
import { UPLOAD_PREVIEW_READY, uploadSubject } from '../events/event.ts';
import { noteMoved } from './move.ts';
import type { UploadRoom } from './room.ts';
import { toSession } from './session.ts';

type Mrc = NonNullable<Session['mrc']>;
type PartRange = [first: number, last: number];

/** The parts that hold the header and section `slice` (of Z, from 0): sections follow each other without gaps. */
export function partsOfSection(mrc: Mrc, slice: number, partSizeBytes: number): PartRange[] {
  const dataOffset = 1024 + mrc.extended_header.bytes;
  const sectionBytes = (mrc.expected_size - dataOffset) / mrc.nz;
  const start = dataOffset + slice * sectionBytes;
  const first = Math.floor(start / partSizeBytes);
  const last = Math.floor((start + sectionBytes - 1) / partSizeBytes);
  return first <= 1
    ? [[0, last]]
    : [
        [0, 0],
        [first, last],
      ];
}

function partsOfPicture(row: UploadRow, mrc: Mrc, { kind, axis, slice }: PreviewRequest): PartRange[] {
  if (kind !== 'section' || axis !== 'z' || slice === null) return [[0, row.part_count - 1]];
  // Of a section that is not there, only the header is needed to say so.
  return slice < mrc.nz ? partsOfSection(mrc, slice, row.part_size) : [[0, 0]];
}

/** @throws UploadError `upload_incomplete` with what is missing, when a picture needs bytes that are not there. */
export async function assertShowable(room: UploadRoom, row: UploadRow, mrc: Mrc, asked: PreviewRequest): Promise<void> {
  const needed = partsOfPicture(row, mrc, asked);
  const missing: PartRange[] = [];
  for (const [first, end] of needed) {
    // The header of an upload that was forced may promise more than the file has, by any amount.
    const last = Math.min(end, row.part_count - 1);
    const stored = new Set((await listParts(room.db, row.id, first, last - first + 1)).map(({ idx }) => idx));
    for (let idx = first; idx <= last; idx++) {
      const before = missing.at(-1);
      if (stored.has(idx)) continue;
      if (before?.[1] === idx - 1) before[1] = idx;
      else missing.push([idx, idx]);
    }
  }
  if (missing.length === 0) return;
  throw new UploadError('upload_incomplete', 'The parts that this picture shows are not all there yet.', {
    hint: 'Send the missing parts, or ask for a section that has arrived.',
    details: { missing_parts: missing.slice(0, 1000) },
  });
}

/** The section in the middle of an upload has arrived. */
export async function tellSection(room: UploadRoom, row: UploadRow, slice: number): Promise<void> {
  await transact(room.db, async (tx) => {
    const url = `/uploads/${row.id}/preview?axis=z&slice=${slice}`;
    const previews = [{ kind: 'section', axis: 'z', slice, url }];
    await insertEvent(tx, {
      id: room.newId(),
      type: UPLOAD_PREVIEW_READY,
      subject: uploadSubject(row.id),
      owner: row.owner,
      time: room.now(),
      data: JSON.stringify({ ...(await toSession(tx, row)), previews }),
    });
  });
  noteMoved(room, row);
}
