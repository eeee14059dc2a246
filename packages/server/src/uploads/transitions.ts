/** Changes of an upload's state: each is emitted in the transaction that makes it. */
import type { UploadEvent } from '@cryolift/protocol/states';
import type { Database, Guard } from '../db/database.ts';
import type { UploadRow } from '../db/tables.ts';
import { type Changes, moveUploadRow } from '../db/uploads/uploads.ts';
import { stateType, uploadSubject } from '../events/event.ts';
import type { Emit } from '../events/outbox.ts';
import type { UploadContext } from './context.ts';
import { toUpload } from './upload-record.ts';

/** As `moveUploadRow`, and emits the new state. @param guard throws when the transaction must not be committed. */
export async function moveUpload(
  context: Pick<UploadContext, 'outbox' | 'now'>,
  id: string,
  event: UploadEvent,
  changes: Changes = {},
  guard: Guard = async () => {},
): Promise<UploadRow | undefined> {
  return await context.outbox.transact(async (tx, emit) => {
    await guard(tx);
    const row = await moveUploadRow(tx, id, event, context.now(), changes);
    if (row) await emitUpload(tx, emit, row);
    return row;
  });
}

/**
 * Emits an upload as clients see it after a change. A trial makes no events.
 *
 * @param type of the event; that of the upload's state when not given.
 */
export async function emitUpload(tx: Database, emit: Emit, row: UploadRow, type?: string): Promise<void> {
  if (row.is_trial) return;
  await emit({
    type: type ?? stateType(row.status),
    subject: uploadSubject(row.id),
    owner: row.owner,
    uploadId: row.id,
    time: row.updated_at,
    data: await toUpload(tx, row),
  });
}
