/** `cryolift ls [FOLDER]`: lists the caller's open uploads, and the files and folders of a folder. */
import { type Api, readTree } from '@cryolift/client';
import { cleanPath, pathOf } from '@cryolift/protocol/file-path';
import type { FileQuery, FileRecord, FileTree, UploadRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect, UPLOADS } from '../connection/connection.ts';
import { listRecords } from '../library/find-records.ts';
import { collect } from '../output/collect-pages.ts';
import { formatBytes, formatTable, formatWhen } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { shortenFolder } from '../output/shorten-folder.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

export interface ListFlags extends ConnectionOptions {
  json?: boolean;
  /** Also the files of the folders below. */
  recursive?: boolean;
  /** Whole ids, digests and times. */
  long?: boolean;
  sort?: 'created_at' | 'filename' | 'size';
  /** Words; only files that have all of them, in the folder and below it. */
  filter?: string;
}

type Folder = FileTree['items'][number];

const PAGE = 1000;
const ENDED: readonly UploadRecord['status'][] = ['completed', 'cancelled', 'expired'];
/** Hex digits of a SHA-256 that tell files apart. */
const SHORT_DIGEST = 8;
/** Of a terminal whose width is not known. */
const COLUMNS = 80;
/** What the columns beside a path take. */
const OTHER_COLUMNS = 36;

export async function list(folder: string | undefined, flags: ListFlags): Promise<ExitCode> {
  const api = connect(flags, UPLOADS);
  const output = new Output(flags.json);
  const base = cleanPath(folder ?? '');
  const isWhole = base === '' && flags.filter === undefined;
  const isDeep = flags.recursive === true || flags.filter !== undefined;
  const uploads = isWhole ? await listOpenUploads(api) : [];
  const folders = isDeep ? [] : await listFolders(api, base);
  const files = await listRecords(api, toQuery(base, isDeep, flags));
  for (const upload of uploads) output.event({ kind: 'upload', ...upload });
  for (const each of folders) output.event({ kind: 'folder', ...each });
  for (const file of files) output.event({ kind: 'file', ...file });
  output.table(() => [...describeUploads(uploads, flags), ...describeFiles(folders, files, base, flags)]);
  return EXIT.done;
}

function toQuery(base: string, isDeep: boolean, { sort, filter }: ListFlags): FileQuery {
  return {
    ...(isDeep ? { prefix: base === '' ? '' : `${base}/` } : { folder: base }),
    ...(sort && { sort }),
    ...(filter !== undefined && { q: filter }),
  };
}

async function listOpenUploads(api: Api): Promise<UploadRecord[]> {
  const uploads = await collect((cursor) => api.uploads({ limit: PAGE, ...(cursor && { cursor }) }));
  return uploads.filter(({ status }) => !ENDED.includes(status));
}

async function listFolders(api: Api, base: string): Promise<Folder[]> {
  return await collect((cursor) => readTree(api, { prefix: base, limit: PAGE, ...(cursor && { cursor }) }));
}

/** The line for each upload ends with the name, which is never shortened. */
function describeUploads(uploads: readonly UploadRecord[], { long }: ListFlags): string[] {
  if (uploads.length === 0) return [];
  const nowMs = Date.now();
  const head = ['UPLOAD', 'DONE', 'STATE', ...(long ? ['SIZE', 'CHANGED'] : []), 'NAME'];
  const rows = uploads.map(({ upload_id, filename, size, status, progress, updated_at }) => [
    upload_id,
    `${Math.floor(progress * 100)}%`,
    status,
    ...(long ? [formatBytes(size), formatWhen(updated_at, nowMs)] : []),
    filename,
  ]);
  return [...formatTable([head, ...rows]), ''];
}

function describeFiles(
  folders: readonly Folder[],
  files: readonly FileRecord[],
  base: string,
  { long }: ListFlags,
): string[] {
  if (folders.length + files.length === 0) return ['no files'];
  const nowMs = Date.now();
  const width = (process.stdout.columns ?? COLUMNS) - OTHER_COLUMNS;
  const skipped = base === '' ? 0 : base.length + 1;
  const rows = [
    ...folders.map(({ name, files, bytes, newest_at }) => [
      `${name}/`,
      formatBytes(bytes),
      newest_at === null ? '-' : long ? newest_at : formatWhen(newest_at, nowMs),
      files === 1 ? '1 file' : `${files} files`,
    ]),
    ...files.map(({ file_id, filename, metadata, size, created_at, sha256 }) => {
      const path = pathOf(filename, metadata).slice(skipped);
      return long
        ? [path, formatBytes(size), created_at, sha256 ?? '-', file_id]
        : [shortenFolder(path, width), formatBytes(size), formatWhen(created_at, nowMs), shortDigest(sha256)];
    }),
  ];
  const head = ['PATH', 'SIZE', 'PUBLISHED', 'SHA-256', ...(long ? ['FILE'] : [])];
  return [...formatTable([head, ...rows]), '', describeTotal(folders, files)];
}

function shortDigest(sha256: string | null): string {
  return sha256?.slice(0, SHORT_DIGEST) ?? '-';
}

/** `12,004 files, 1.40 TiB`. */
function describeTotal(folders: readonly Folder[], files: readonly FileRecord[]): string {
  const count = folders.reduce((sum, { files }) => sum + files, files.length);
  const bytes = [...folders.map(({ bytes }) => bytes), ...files.map(({ size }) => size)].reduce((a, b) => a + b, 0);
  return `${count === 1 ? '1 file' : `${count.toLocaleString('en')} files`}, ${formatBytes(bytes)}`;
}
