/** What lies in the data folder after a sweep: the bytes of what is there, and nothing else. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Ledger } from './ledger.ts';

/** @param folder that has `staging/` and `files/`. */
export function compareStored(ledger: Ledger, folder: string): void {
  // A failed upload keeps its bytes until it expires or is cancelled.
  const staged = ledger.entries.filter(
    ({ ended, failed, cancelled }) => !ended || (failed && cancelled !== 'answered'),
  );
  const stagedIds = new Set(staged.map(({ upload }) => upload?.upload_id));
  for (const id of readdirSync(join(folder, 'staging'))) {
    if (!stagedIds.has(id)) ledger.noteFault(null, `staging/${id} is of no upload that is open or failed`);
  }
  const files = ledger.entries.filter(({ completed, deleted }) => completed === 'answered' && deleted !== 'answered');
  const byId = new Map(files.map((entry) => [entry.fileId, entry]));
  const found = readdirSync(join(folder, 'files'));
  for (const id of found) {
    const entry = byId.get(id);
    const names = readdirSync(join(folder, 'files', id));
    if (!entry) ledger.noteFault(null, `files/${id} (${names.join()}) has no record`);
    else if (names.join() !== entry.plan.filename) ledger.noteFault(entry, `files/${id} has ${names.join()}`);
    else if (statSync(join(folder, 'files', id, entry.plan.filename)).size !== entry.plan.sizeBytes) {
      ledger.noteFault(entry, `files/${id} has another size`);
    }
  }
  for (const [id, entry] of byId) {
    if (!found.includes(id as string)) ledger.noteFault(entry, `files/${id} is gone`);
  }
}
