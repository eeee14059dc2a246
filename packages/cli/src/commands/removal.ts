/** `cryolift cancel ID` and `cryolift rm FILE…`. */
import { deleteFiles } from '@cryolift/client';
import { pathOf } from '@cryolift/protocol/file-path';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { type FoundRecord, findRecords } from '../library/find-records.ts';
import { formatBytes } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { confirm } from '../process/confirm.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

type Flags = ConnectionOptions & { json?: boolean };

export interface RemoveFlags extends Flags {
  /** Arguments may be folders. */
  recursive?: boolean;
  /** Several files are deleted without a question. */
  yes?: boolean;
}

/** A ULID. */
const ID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
/** Files that the question names. */
const NAMED = 5;

export async function cancel(id: string, flags: Flags): Promise<ExitCode> {
  await connect(flags, 'uploads:write').cancel(id);
  new Output(flags.json).result({ upload_id: id, status: 'cancelled' }, () => `cancelled ${id}`);
  return EXIT.done;
}

export async function remove(references: readonly string[], flags: RemoveFlags): Promise<ExitCode> {
  const [reference = ''] = references;
  if (references.length === 1 && ID.test(reference)) return await removeById(reference, flags);
  const api = connect(flags, 'files:read files:delete');
  const output = new Output(flags.json);
  const signal = interruptible();
  const records = await findRecords(api, references, flags.recursive, signal);
  const paths = new Map(records.map(({ file }) => [file.file_id, pathOf(file.filename, file.metadata)]));
  if (records.length > 1 && !flags.yes) await askFirst(records, output, signal);
  let missing = 0;
  for await (const { items } of deleteFiles(api, [...paths.keys()])) {
    for (const { file_id, outcome } of items) {
      if (outcome !== 'deleted') missing++;
      const text = outcome === 'deleted' ? 'deleted' : 'was deleted already';
      output.result({ file_id, deleted: outcome === 'deleted' }, () => `${text} ${paths.get(file_id)}  ${file_id}`);
    }
    signal.throwIfAborted();
  }
  return missing === records.length ? EXIT.failed : EXIT.done;
}

/** Works with a token that may not read records. */
async function removeById(id: string, flags: RemoveFlags): Promise<ExitCode> {
  await connect(flags, 'files:delete').deleteFile(id);
  new Output(flags.json).result({ file_id: id, deleted: true }, () => `deleted ${id}`);
  return EXIT.done;
}

/** @throws UsageError when nobody can be asked. @throws Refusal `not_deleted` unless the answer is yes. */
async function askFirst(records: readonly FoundRecord[], output: Output, signal: AbortSignal): Promise<void> {
  const needed = `delete ${records.length} files`;
  const bytes = records.reduce((sum, { file }) => sum + file.size, 0);
  const lines = records.slice(0, NAMED).map(({ file }) => `  ${pathOf(file.filename, file.metadata)}`);
  if (records.length > NAMED) lines.push(`  and ${(records.length - NAMED).toLocaleString('en')} more`);
  output.note(lines);
  const count = records.length.toLocaleString('en');
  await confirm(`Delete these ${count} files (${formatBytes(bytes)}) for good`, needed, signal);
}
