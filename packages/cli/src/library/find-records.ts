/** Finds the files of the server that the arguments of a command name: by id, path, name, glob or folder. */
import { posix } from 'node:path';
import { type Api, ServerError } from '@cryolift/client';
import { cleanPath, pathOf } from '@cryolift/protocol/file-path';
import type { FileQuery, FileRecord } from '@cryolift/protocol/messages';
import { fits } from '../files/find-files.ts';
import { collect } from '../output/collect-pages.ts';
import { Refusal } from '../process/exit.ts';

export interface FoundRecord {
  readonly file: FileRecord;
  /** Relative to the folder of a download, with `/` as separator. Not checked: it comes from the server. */
  readonly path: string;
}

const PAGE = 1000;
const WILDCARD = /[*?[{]/;
/** Files that a message names. */
const NAMED = 5;

export function isGlob(reference: string): boolean {
  return WILDCARD.test(reference);
}

/** All files that match, in the order that was asked for. Throws as the calls of `Api` do. */
export async function listRecords(api: Api, query: FileQuery, signal?: AbortSignal): Promise<FileRecord[]> {
  return await collect((cursor) => api.files({ ...query, limit: PAGE, ...(cursor && { cursor }) }, { signal }));
}

/**
 * One file, by its id, by its path, or by its name if no other file has this name.
 *
 * @throws Refusal `file_not_found`, or `several_files` with the ids of the files.
 */
export async function findRecord(api: Api, reference: string, signal?: AbortSignal): Promise<FileRecord> {
  const [file, ...others] = await findByName(api, reference, signal);
  if (file === undefined) throw notFound(reference);
  if (others.length === 0) return file;
  const ids = [file, ...others].slice(0, NAMED).map(({ file_id, created_at }) => `${file_id} (${created_at})`);
  const more = others.length + 1 > NAMED ? ', …' : '';
  throw new Refusal(
    'several_files',
    `${others.length + 1} files are named ${reference}`,
    `Give the id of one of them: ${ids.join(', ')}${more}`,
  );
}

/**
 * The files of several arguments, each file once. An argument with `*`, `?`, `[` or `{` is a glob, as for `upload`:
 * without `/` it is matched against the name, with `/` against the path. A glob that matches nothing may be a name.
 *
 * @param recursive an argument may also be a folder: all files below it, with the folder's own name in their paths.
 * @throws Refusal `file_not_found` for an argument that names nothing; as `findRecord` does.
 */
export async function findRecords(
  api: Api,
  references: readonly string[],
  recursive = false,
  signal?: AbortSignal,
): Promise<FoundRecord[]> {
  const found = new Map<string, FoundRecord>();
  for (const reference of references) {
    const records = await findAll(api, reference, recursive, signal);
    if (records.length === 0) throw notFound(reference);
    for (const record of records) if (!found.has(record.file.file_id)) found.set(record.file.file_id, record);
  }
  return [...found.values()];
}

async function findAll(
  api: Api,
  reference: string,
  recursive: boolean,
  signal?: AbortSignal,
): Promise<readonly FoundRecord[]> {
  const matching = isGlob(reference) ? await findByGlob(api, reference, signal) : [];
  if (matching.length > 0) return matching;
  if (recursive) {
    const folder = cleanPath(reference);
    const files = await listRecords(api, { prefix: folder === '' ? '' : `${folder}/`, order: 'asc' }, signal);
    if (files.length > 0) return below(files, posix.dirname(folder));
  }
  const file = await findRecord(api, reference, signal);
  return [{ file, path: file.filename }];
}

async function findByGlob(api: Api, glob: string, signal?: AbortSignal): Promise<readonly FoundRecord[]> {
  // The folders before the first wildcard.
  const at = glob.slice(0, glob.search(WILDCARD)).lastIndexOf('/');
  const folder = cleanPath(glob.slice(0, Math.max(0, at)));
  const files = await listRecords(api, { prefix: folder === '' ? '' : `${folder}/`, order: 'asc' }, signal);
  const matching = files.filter(({ filename, metadata }) => fits(pathOf(filename, metadata), [glob]));
  if (glob.includes('/')) return below(matching, folder);
  return matching.map((file) => ({ file, path: file.filename }));
}

/** @param folder left out of the paths. */
function below(files: readonly FileRecord[], folder: string): readonly FoundRecord[] {
  const skipped = folder === '' || folder === '.' ? 0 : folder.length + 1;
  return files.map((file) => ({ file, path: pathOf(file.filename, file.metadata).slice(skipped) }));
}

/** An id is the first choice, then a path, then a name. */
async function findByName(api: Api, reference: string, signal?: AbortSignal): Promise<readonly FileRecord[]> {
  if (!reference.includes('/')) {
    try {
      return [await api.file(reference, { signal })];
    } catch (error) {
      if (!(error instanceof ServerError) || error.status !== 404) throw error;
    }
  }
  const path = cleanPath(reference);
  if (path === '') return [];
  const atPath = (await listRecords(api, { prefix: path }, signal)).filter(
    ({ filename, metadata }) => pathOf(filename, metadata) === path,
  );
  if (atPath.length > 0 || reference.includes('/')) return atPath;
  return (await listRecords(api, { q: path }, signal)).filter(({ filename }) => filename === reference);
}

function notFound(reference: string): Refusal {
  return new Refusal(
    'file_not_found',
    `you have no file ${reference}`,
    '`cryolift ls` lists your folders, `cryolift ls -r` all your files.',
  );
}
