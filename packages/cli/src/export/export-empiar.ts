/** `cryolift export empiar`: writes what a deposition at EMPIAR needs and the server knows. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Datasets } from '@cryolift/client';
import { isMdocName } from '@cryolift/mrc';
import { pathOf } from '@cryolift/protocol/file-path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { type Flags, find } from '../commands/datasets/dataset.ts';
import { assertFolderOrNothing } from '../commands/download-many.ts';
import { connect } from '../connection/connection.ts';
import { formatChecksum } from '../files/checksums.ts';
import { collect } from '../output/collect-pages.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, Refusal } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { buildDeposition, type Deposition } from './empiar.ts';

const PAGE = 1000;

/** @throws Refusal `export_exists` when there is a deposition, which a person may have filled in. */
export async function exportEmpiar(reference: string, flags: Flags & { output: string }): Promise<ExitCode> {
  const { output: folder } = flags;
  const output = new Output(flags.json);
  const signal = interruptible();
  const datasets = new Datasets(connect(flags, 'files:read'));
  const dataset = await find(datasets, reference);
  await assertFolderOrNothing(folder);
  const files = await collect((cursor) =>
    datasets.files(dataset.dataset_id, { limit: PAGE, ...(cursor && { cursor }) }, { signal }),
  );
  const sorted = files.map((file) => ({ file, path: pathOf(file.filename, file.metadata) }));
  sorted.sort((a, b) => (a.path < b.path ? -1 : 1));
  const deposition = buildDeposition(dataset, files);
  await mkdir(folder, { recursive: true });
  const texts = {
    // The first one: it refuses when there is an export already.
    'deposition.json': `${JSON.stringify(deposition.json, null, 2)}\n`,
    'to-fill-in.txt': printToFill(deposition),
    'files.tsv': printFiles(sorted),
    'manifest-sha256.txt': sorted.map(printChecksum).join(''),
  };
  for (const [name, text] of Object.entries(texts)) await writeNew(join(folder, name), text);
  const unknown = files.filter(({ sha256 }) => sha256 === null).length;
  const unread = countUnread(files);
  const imagesets = (deposition.json.imagesets as unknown[]).length;
  const counts = { files: files.length, unread, imagesets, to_fill_in: deposition.toFill.length };
  output.result({ event: 'done', path: folder, ...counts }, () => [
    `${folder}  ${files.length} files in ${imagesets} image sets; ${deposition.toFill.length} fields are to be filled in: to-fill-in.txt`,
    ...(unknown > 0 ? [`the digest of ${unknown} files is not known yet: they are not in manifest-sha256.txt`] : []),
    ...(unread > 0 ? [`${unread} .mdoc files are not read yet: what they say is not in deposition.json`] : []),
    ...(dataset.state === 'open' ? [`${dataset.name} is open: files may still arrive`] : []),
  ]);
  return EXIT.done;
}

/** The server reads an `.mdoc` file after it was published, unless it is too large. @returns how many are not read. */
export function countUnread(files: readonly FileRecord[]): number {
  const isTooLarge = ({ warnings }: FileRecord) => warnings.some(({ code }) => code === 'mdoc_too_large');
  return files.filter((file) => isMdocName(file.filename) && !file.mdoc && !isTooLarge(file)).length;
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Refusal('export_exists', `${path} is there already.`, 'Give another folder, or delete this one.');
  }
}

function printToFill({ toFill }: Deposition): string {
  return toFill.map(([path, what]) => `${path}\t${what}\n`).join('');
}

interface Named {
  readonly file: FileRecord;
  readonly path: string;
}

/** A line end or tab in a name would end the cell. */
function printFiles(sorted: readonly Named[]): string {
  const lines = sorted.map(({ file, path }) => [JSON.stringify(path), file.size, file.sha256 ?? ''].join('\t'));
  return [['path', 'size', 'sha256'].join('\t'), ...lines].map((line) => `${line}\n`).join('');
}

/** For `sha256sum -c` beside the folder `data`. A file whose digest is not known yet is not in it. */
function printChecksum({ file, path }: Named): string {
  return file.sha256 === null ? '' : formatChecksum(`data/${path}`, file.sha256);
}
