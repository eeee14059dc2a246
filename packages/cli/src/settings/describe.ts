/** What the program understood from a settings file, as text and as JSON. */
import type { Timetable } from '../options/bandwidth.ts';
import { formatBytes } from '../output/format.ts';
import type { ConnectionSettings, FolderSettings, Settings } from './settings.ts';

export function describeSettings({ server, tokenFile, linkFile, shared, folders }: Settings): string[] {
  const credential = linkFile ?? tokenFile;
  return [
    `server      ${server ?? 'that of the upload link'}`,
    `credential  ${credential === null ? 'none: from the environment of the command' : `in ${credential}`}`,
    `connection  ${describeConnection(shared)}`,
    ...folders.flatMap(describeFolder),
  ];
}

function describeFolder({ folder, settle, moveTo, delete: isDeleted, files, own, ...more }: FolderSettings): string[] {
  const then = moveTo === undefined ? (isDeleted ? 'then deleted' : 'then kept') : `then moved to ${moveTo}`;
  const receipt = more.afterReceipt ? ', when a receipt of their dataset names them' : '';
  const meta = Object.entries(more.meta).map((pair) => pair.join('='));
  return [
    `folder      ${folder}`,
    `  files are uploaded ${settle} s after their last change, up to ${files} at the same time, ${then}${receipt}`,
    ...(more.skipKnown ? ['  what the server has already is copied there and not sent'] : []),
    ...(more.include ? [`  only ${more.include.join(', ')}`] : []),
    ...(more.exclude ? [`  without ${more.exclude.join(', ')}`] : []),
    ...(meta.length > 0 ? [`  metadata ${meta.join(', ')}`] : []),
    ...(own ? [`  with its own connections: ${describeConnection(own)}`] : []),
  ];
}

function describeConnection({ parallel, bwlimit, compress }: ConnectionSettings): string {
  const limit = bwlimit === undefined ? 'no limit' : describeTimetable(bwlimit);
  return `up to ${parallel} parts at the same time, ${limit}, ${compress ? 'compressed where it helps' : 'not compressed'}`;
}

function describeTimetable(timetable: Timetable): string {
  const rates = timetable.map(({ minute, bytesPerSecond }) => {
    const time = [minute / 60, minute % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':');
    const rate = bytesPerSecond === null ? 'no limit' : `${formatBytes(bytesPerSecond)}/s`;
    return timetable.length === 1 ? rate : `${rate} from ${time}`;
  });
  return rates.join(', ');
}

/** With the words of the file. */
export function settingsJson({ server, tokenFile, linkFile, shared, folders }: Settings): object {
  return {
    server,
    token_file: tokenFile,
    link_file: linkFile,
    ...connectionJson(shared),
    watch: folders.map(
      ({ folder, settle, moveTo, delete: isDeleted, afterReceipt, skipKnown, include, exclude, files, meta, own }) => ({
        folder,
        settle_seconds: settle,
        move_to: moveTo ?? null,
        delete: isDeleted,
        after_receipt: afterReceipt,
        skip_known: skipKnown,
        include: include ?? null,
        exclude: exclude ?? null,
        files,
        meta,
        ...(own ? connectionJson(own) : {}),
      }),
    ),
  };
}

function connectionJson({ parallel, bwlimit, compress }: ConnectionSettings): object {
  return { parallel, bwlimit: bwlimit === undefined ? null : describeTimetable(bwlimit), compress };
}
