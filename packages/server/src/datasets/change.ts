/** A change of one dataset in a round of the sweep, with its event in the same transaction. */
import type { Database } from '../db/database.ts';
import type { DatasetRow } from '../db/tables.ts';
import type { DatasetEventName } from '../events/event.ts';
import type { DatasetContext } from './context.ts';
import { datasetEvent } from './record.ts';

/** @param change undefined: another server was first, or the dataset was changed since it was read. */
export async function changeAndEmit(
  { outbox, now }: DatasetContext,
  name: DatasetEventName,
  change: (tx: Database, nowMs: number) => Promise<DatasetRow | undefined>,
): Promise<DatasetRow | undefined> {
  return await outbox.transact(async (tx, emit) => {
    const nowMs = now();
    const row = await change(tx, nowMs);
    if (row) await emit(datasetEvent(name, row, nowMs));
    return row;
  });
}
