/** Changes of an upload's state: each is emitted in the transaction that makes it. */
import type { UploadEvent } from '@cryolift/protocol/states';
import type { Database, Guard } from '../db/database.ts';
import { requestCheck } from '../db/datasets/check-jobs.ts';
import type { FileRow, UploadRow } from '../db/tables.ts';
import { type Changes, moveSeenRow, moveUploadRow } from '../db/uploads/uploads.ts';
import { FILE_PUBLISHED, stateType, uploadSubject } from '../events/event.ts';
import type { Emit, OutboxEvent } from '../events/outbox.ts';
import { fileEvent } from '../files/file-event.ts';
import type { UploadContext } from './context.ts';
import { toUpload } from './upload-record.ts';

type TransitionContext = Pick<UploadContext, 'outbox' | 'now'> & { readonly fileJobs: { wake(): void } };

/** Without a file. */
const ENDED: readonly string[] = ['failed', 'cancelled', 'expired'];

/**
 * As `moveUploadRow`, and emits the new state. A dataset that waited for the end of the upload may be whole now.
 *
 * @param guard throws when the transaction must not be committed.
 */
export async function moveUpload(
  context: TransitionContext,
  id: string,
  event: UploadEvent,
  changes: Changes = {},
  guard: Guard = async () => {},
): Promise<UploadRow | undefined> {
  const moved = await context.outbox.transact(async (tx, emit) => {
    await guard(tx);
    const row = await moveUploadRow(tx, id, event, context.now(), changes);
    if (!row) return undefined;
    await emitUpload(tx, emit, row);
    if (isAwaited(row)) await requestCheck(tx, row.dataset_id, `check-${row.id}-${row.updated_at}`, row.updated_at);
    return row;
  });
  if (moved && isAwaited(moved)) context.fileJobs.wake();
  return moved;
}

function isAwaited(row: UploadRow): row is UploadRow & { dataset_id: string } {
  return row.dataset_id !== null && ENDED.includes(row.status);
}

/** As `moveUpload`, for an upload as it was read before. When it has not changed since, this waits less for the disk. */
export async function moveSeenUpload(
  context: TransitionContext & Pick<UploadContext, 'db'>,
  seen: UploadRow,
  event: UploadEvent,
  changes: Changes = {},
): Promise<UploadRow | undefined> {
  const { db, outbox } = context;
  const { step, row } = moveSeenRow(db, seen, event, context.now(), changes);
  if (await outbox.commit([step], () => eventsOf(db, row))) return row;
  return await moveUpload(context, seen.id, event, changes);
}

/** Emits an upload as clients see it after a change. @param type as for `eventsOf`. */
export async function emitUpload(tx: Database, emit: Emit, row: UploadRow, type?: string): Promise<void> {
  for (const event of await eventsOf(tx, row, type)) await emit(event);
}

/** The events of an upload that was published: that it is completed, with the record of the file, and that of the file. */
export async function publishedEvents(db: Database, row: UploadRow, file: FileRow): Promise<OutboxEvent[]> {
  const published = fileEvent(FILE_PUBLISHED, file, file.created_at);
  const completed = await eventsOf(db, row);
  return [...completed.map((event) => ({ ...event, data: { ...event.data, file: published.data } })), published];
}

/**
 * The event of an upload after a change; none of a trial, and of a part of a later concatenation.
 *
 * @param type of the event; that of the upload's state when not given.
 */
export async function eventsOf(db: Database, row: UploadRow, type?: string): Promise<OutboxEvent[]> {
  if (row.is_trial || row.is_partial) return [];
  return [
    {
      type: type ?? stateType(row.status),
      subject: uploadSubject(row.id),
      owner: row.owner,
      uploadId: row.id,
      time: row.updated_at,
      data: await toUpload(db, row),
    },
  ];
}
