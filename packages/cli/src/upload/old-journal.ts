/** Reads the journal of earlier versions. It does not name the owner of the files, so the server is asked. */
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Api } from '@cryolift/client';
import type { Output } from '../output/output.ts';
import { type FolderJournal, placeOf, type WentUp } from './folder-journal.ts';
import { confirm } from './owner.ts';

const AT_ONCE = 8;
/** Number of entries to ask about before the answers are written. */
const BATCH = 200;

type Earlier = Omit<WentUp, 'upload_id'>;

interface Asking {
  readonly api: Api;
  readonly server: string;
  readonly owner: string;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/**
 * Imports the entries of this owner once. The old journal stays for other owners. A later run continues after a kill.
 */
export async function importOldJournal(journal: FolderJournal, folder: string, asking: Asking): Promise<void> {
  const { server, owner, output } = asking;
  if (journal.lacksEarlier) await journal.readEarlier(readEntries(await placeOf(server, folder, '.jsonl')));
  let files = 0;
  let others = 0;
  for (;;) {
    const batch = journal.nextEarlier(BATCH);
    if (batch.length === 0) break;
    const own = await findOwn(batch, asking);
    journal.settleEarlier(batch, own);
    files += own.length;
    others += batch.length - own.length;
  }
  if (files + others === 0) return;
  output.event({ event: 'journal_adopted', owner, files, others });
  output.note(
    `the journal of an earlier version has ${files + others} files of this folder without owner: ${files} belong to ${owner}`,
  );
}

async function findOwn(batch: readonly Earlier[], { api, owner, signal }: Asking): Promise<WentUp[]> {
  const own: WentUp[] = [];
  const queue = batch.values();
  const worker = async () => {
    for (const entry of queue) {
      const confirmed = await confirm(api, owner, { ...entry, upload_id: null }, signal);
      if (confirmed.kind === 'there') own.push({ ...entry, upload_id: confirmed.file.upload_id });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return own;
}

/** Reads by line: a journal may be larger than memory. */
async function* readEntries(journal: string): AsyncGenerator<{ path: string; entry: Earlier | null }> {
  if (!(await isThere(journal))) return;
  for await (const line of createInterface({ input: createReadStream(journal), crlfDelay: Number.POSITIVE_INFINITY })) {
    const entry = parse(line);
    if (typeof entry?.path !== 'string') continue;
    yield { path: entry.path, entry: isEarlier(entry) ? entry : null };
  }
}

/** @returns null for a line that is incomplete after a crash. */
function parse(line: string): Partial<Earlier> | null {
  try {
    return JSON.parse(line) as Partial<Earlier> | null;
  } catch {
    return null;
  }
}

function isEarlier(entry: Partial<Earlier>): entry is Earlier {
  const { size, modified_ms, changed_ms, inode, at, file_id, sha256 } = entry;
  const areNumbers = [size, modified_ms, changed_ms, inode].every((value) => typeof value === 'number');
  return areNumbers && [at, file_id, sha256].every((value) => typeof value === 'string');
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
