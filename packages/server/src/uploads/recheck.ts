/**
 * Re-verification after the operating system went down: what was recorded may not have reached the disk. Each recorded
 * part is hashed again; what does not match its row is taken back and asked for again.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { partExtent } from '@cryolift/protocol/plan';
import { forgetParts, listParts } from '../db/parts.ts';
import { findSession } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { BytesGone, type Extent } from '../parts/store.ts';
import type { UploadRoom } from './room.ts';
import { toPlace } from './session.ts';
import { firstOf } from './waiting.ts';

/** How long a request waits for a re-verification before it is asked to come again. */
const WAIT_MS = 20_000;

export class Rechecks {
  readonly #running = new Map<string, Promise<void>>();

  /** The session's row once its parts are verified. @throws UploadError `overloaded` when that takes longer. */
  async wait(room: UploadRoom, row: UploadRow): Promise<UploadRow> {
    const done = await firstOf(this.run(room, row), WAIT_MS);
    if (done === 'late') {
      throw new UploadError(
        'overloaded',
        'The server was restarted after its system went down and is verifying the stored parts of this upload.',
        { retryAfterSeconds: 5 },
      );
    }
    return (await findSession(room.db, row.id)) as UploadRow;
  }

  /** Verifies every recorded part of a session; joins a run under way. */
  async run(room: UploadRoom, row: UploadRow): Promise<void> {
    let running = this.#running.get(row.id);
    if (!running) {
      running = recheck(room, row).finally(() => this.#running.delete(row.id));
      this.#running.set(row.id, running);
    }
    await running;
  }
}

async function isIntact(room: UploadRoom, uploadId: string, extent: Extent, expected: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await room.store.hashExtent(uploadId, extent), expected) === 0;
  } catch (error) {
    // Anything else says nothing about the bytes: they are verified at the next try.
    if (error instanceof BytesGone) return false;
    throw error;
  }
}

/** The disk failed to keep bytes of this upload, and nobody can tell which: every part is asked for again. */
export async function forgetEverything(room: UploadRoom, uploadId: string): Promise<void> {
  // What is being written now may be what was lost.
  await room.attempts.endAll(uploadId);
  const row = await findSession(room.db, uploadId);
  if (!row) return;
  const parts = await listParts(room.db, uploadId, 0, row.part_count);
  await forgetParts(
    room.db,
    row,
    parts.map((part) => part.idx),
  );
  room.bus.noteParts(row);
  room.arrivals.forget(uploadId);
  room.store.forgetDigest(uploadId);
  room.meter.noteVerifyFailures('stored_part', parts.length);
  room.log.error({ upload_id: uploadId, lost_parts: parts.length }, 'the disk failed to keep the parts of an upload');
}

async function recheck(room: UploadRoom, row: UploadRow): Promise<void> {
  const lost: number[] = [];
  // Bytes were flushed before they were renamed, so a file that is in its final place is whole.
  const published = row.file_id !== null && (await room.store.statFile(toPlace(row, row.file_id))) === row.size;
  const parts = published ? [] : await listParts(room.db, row.id, 0, row.part_count);
  for (const part of parts) {
    const extent = partExtent(row.size, row.part_size, part.idx);
    if (!(await isIntact(room, row.id, extent, part.sha256))) lost.push(part.idx);
  }
  await forgetParts(room.db, row, lost);
  room.bus.noteParts(row);
  room.arrivals.forget(row.id);
  room.store.forgetDigest(row.id);
  room.meter.noteVerifyFailures('stored_part', lost.length);
  room.log.warn({ upload_id: row.id, verified_parts: parts.length, lost_parts: lost.length }, 'parts verified again');
}
