/** `cryolift ls`: lists the caller's open uploads and files. */
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect, UPLOADS } from '../connection/connection.ts';
import { collect } from '../output/collect-pages.ts';
import { formatBytes, formatTable, formatWhen } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

const PAGE = 1000;
const ENDED: readonly UploadRecord['status'][] = ['completed', 'cancelled', 'expired'];

export async function list(flags: ConnectionOptions & { json?: boolean }): Promise<ExitCode> {
  const api = connect(flags, UPLOADS);
  const output = new Output(flags.json);
  const uploads = await collect((cursor) => api.uploads({ limit: PAGE, ...(cursor && { cursor }) }));
  const open = uploads.filter(({ status }) => !ENDED.includes(status));
  const files = await collect((cursor) => api.files({ limit: PAGE, ...(cursor && { cursor }) }));
  for (const upload of open) output.event({ kind: 'upload', ...upload });
  for (const file of files) output.event({ kind: 'file', ...file });
  const nowMs = Date.now();
  output.table(() => [
    ...(open.length > 0 ? [...formatTable([UPLOAD_HEAD, ...open.map((each) => uploadRow(each, nowMs))]), ''] : []),
    ...(files.length > 0 ? formatTable([FILE_HEAD, ...files.map((each) => fileRow(each, nowMs))]) : ['no files']),
  ]);
  return EXIT.done;
}

const UPLOAD_HEAD = ['UPLOAD', 'NAME', 'SIZE', 'STATE', 'DONE', 'CHANGED'];
const FILE_HEAD = ['FILE', 'NAME', 'SIZE', 'PUBLISHED', 'SHA-256'];

function uploadRow(upload: UploadRecord, nowMs: number): string[] {
  const { upload_id, filename, size, status, progress, updated_at } = upload;
  return [
    upload_id,
    filename,
    formatBytes(size),
    status,
    `${Math.floor(progress * 100)}%`,
    formatWhen(updated_at, nowMs),
  ];
}

function fileRow({ file_id, filename, size, created_at, sha256 }: FileRecord, nowMs: number): string[] {
  return [file_id, filename, formatBytes(size), formatWhen(created_at, nowMs), sha256 ?? '-'];
}
