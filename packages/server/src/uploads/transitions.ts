/** Changes of a session's state: each is told of in the transaction that makes it, and to those who listen after it. */
import type { UploadEvent } from '@cryolift/protocol/states';
import { transact } from '../db/database.ts';
import { insertEvent } from '../db/events.ts';
import { type Changes, moveSession, type Tell } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { stateType, uploadSubject } from '../events/event.ts';
import type { UploadRoom } from './context.ts';
import { toSession } from './upload-record.ts';

/** As `moveSession`, and told. */
export async function moveUpload(
  room: UploadRoom,
  id: string,
  event: UploadEvent,
  changes: Changes = {},
): Promise<UploadRow | undefined> {
  const tell = stateTeller(room);
  const moved = await transact(room.db, async (tx) => {
    const row = await moveSession(tx, id, event, room.now(), changes);
    if (row) await tell(tx, row);
    return row;
  });
  if (moved) noteMoved(room, moved);
  return moved;
}

/** Writes the session, as clients see it after a change of its state, into the outbox. */
export function stateTeller(room: UploadRoom): Tell {
  return uploadTeller(room);
}

/** @param type of the event; that of the session's state when not given. */
export function uploadTeller(room: UploadRoom, type?: string): Tell {
  return async (tx, row) => {
    if (row.is_trial) return;
    await insertEvent(tx, {
      id: room.newId(),
      type: type ?? stateType(row.status),
      subject: uploadSubject(row.id),
      owner: row.owner,
      time: row.updated_at,
      data: JSON.stringify(await toSession(tx, row)),
    });
  };
}

/** To be called once the transaction is committed. */
export function noteMoved(room: UploadRoom, upload: { id: string; owner: string }): void {
  room.bus.noteNews({ owner: upload.owner, uploadId: upload.id });
}
