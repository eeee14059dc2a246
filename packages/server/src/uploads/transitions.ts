/** Changes of a session's state: each is told of in the transaction that makes it, and to those who listen after it. */
import type { UploadEvent } from '@cryolift/protocol/states';
import { transact } from '../db/database.ts';
import { insertEvent } from '../db/events.ts';
import { type Changes, type EmitChange, moveUploadRow } from '../db/sessions.ts';
import type { UploadRow } from '../db/tables.ts';
import { stateType, uploadSubject } from '../events/event.ts';
import type { UploadContext } from './context.ts';
import { toUpload } from './upload-record.ts';

/** As `moveUploadRow`, and told. */
export async function moveUpload(
  context: UploadContext,
  id: string,
  event: UploadEvent,
  changes: Changes = {},
): Promise<UploadRow | undefined> {
  const emit = stateEmitter(context);
  const moved = await transact(context.db, async (tx) => {
    const row = await moveUploadRow(tx, id, event, context.now(), changes);
    if (row) await emit(tx, row);
    return row;
  });
  if (moved) noteMoved(context, moved);
  return moved;
}

/** Writes the session, as clients see it after a change of its state, into the outbox. */
export function stateEmitter(context: UploadContext): EmitChange {
  return uploadEmitter(context);
}

/** @param type of the event; that of the session's state when not given. */
export function uploadEmitter(context: UploadContext, type?: string): EmitChange {
  return async (tx, row) => {
    if (row.is_trial) return;
    await insertEvent(tx, {
      id: context.newId(),
      type: type ?? stateType(row.status),
      subject: uploadSubject(row.id),
      owner: row.owner,
      time: row.updated_at,
      data: JSON.stringify(await toUpload(tx, row)),
    });
  };
}

/** To be called once the transaction is committed. */
export function noteMoved(context: UploadContext, upload: { id: string; owner: string }): void {
  context.bus.notifyChange({ owner: upload.owner, uploadId: upload.id });
}
