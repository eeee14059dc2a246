/** Says of open datasets that nothing arrives any more: once for each silence, whatever the number of servers. */
import { listSilent, markSilent } from '../db/datasets/silence.ts';
import type { DatasetContext } from './context.ts';
import { datasetEvent } from './record.ts';

/** Said in one round of the sweep. */
const BATCH = 100;

/** @returns how many are silent now of which that was not said before. */
export async function tellSilences({ db, outbox, now }: DatasetContext): Promise<number> {
  let told = 0;
  for (const id of await listSilent(db, now(), BATCH)) {
    const row = await outbox.transact(async (tx, emit) => {
      const nowMs = now();
      const silent = await markSilent(tx, id, nowMs);
      if (silent) await emit(datasetEvent('silent', silent, nowMs));
      return silent;
    });
    if (row) told++;
  }
  return told;
}
