/** Says of open datasets that nothing arrives any more: once for each silence, whatever the number of servers. */
import { listSilent, markSilent } from '../db/datasets/silence.ts';
import { changeAndEmit } from './change.ts';
import type { DatasetContext } from './context.ts';

/** Said in one round of the sweep. */
const BATCH = 100;

/** @returns how many are silent now of which that was not said before. */
export async function tellSilences(context: DatasetContext): Promise<number> {
  let told = 0;
  for (const id of await listSilent(context.db, context.now(), BATCH)) {
    if (await changeAndEmit(context, 'silent', (tx, nowMs) => markSilent(tx, id, nowMs))) told++;
  }
  return told;
}
