/** Downloads several files into a folder. A second run continues, and skips what is there. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Api, TargetError } from '@cryolift/client';
import { lockFolder } from '@cryolift/client/folder-lock';
import { assertHarmlessName, download, hasBytesOf, hashPath } from '@cryolift/client/node';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { FoundRecord } from '../library/find-records.ts';
import { formatBytes } from '../output/format.ts';
import type { Output } from '../output/output.ts';
import { ProgressDisplay } from '../output/progress.ts';
import { NOTHING, Tally } from '../output/tally.ts';
import { EXIT, type ExitCode, Refusal } from '../process/exit.ts';
import { exitCodeOf, isAboutServer } from '../process/failure.ts';

export interface ManyOptions {
  readonly api: Api;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Ranges of a file at the same time. */
  readonly parallel: number;
  /** Replaces files that differ. */
  readonly force: boolean;
}

/** Files at the same time. */
const AT_ONCE = 4;

/**
 * A file that fails does not stop the others, unless they would fail as well.
 *
 * @param folder is created when it is missing.
 */
export async function downloadMany(
  records: readonly FoundRecord[],
  folder: string,
  options: ManyOptions,
): Promise<ExitCode> {
  assertDifferentPaths(records);
  const { output, signal } = options;
  const tally = new Tally(
    records.length,
    records.reduce((sum, { file }) => sum + file.size, 0),
  );
  const display = new ProgressDisplay(output, { atOnce: Math.min(AT_ONCE, records.length), tally });
  const stop = new AbortController();
  const waiting = records.values();
  let code: ExitCode = EXIT.failed;
  const work = async () => {
    for (const { file, path } of waiting) {
      if (signal.aborted || stop.signal.aborted) return;
      try {
        await downloadOne(file, path, folder, tally, display, {
          ...options,
          signal: AbortSignal.any([signal, stop.signal]),
        });
      } catch (error) {
        if (signal.aborted || stop.signal.aborted) return;
        tally.failed++;
        output.failure(error, path);
        if (exitCodeOf(error) === EXIT.unauthorised) code = EXIT.unauthorised;
        if (isAboutServer(error)) stop.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    display.stop();
  }
  if (signal.aborted) output.failure(signal.reason);
  report(output, tally);
  if (signal.aborted) return EXIT.interrupted;
  if (tally.failed === 0) return EXIT.done;
  return code === EXIT.failed && tally.done + tally.already > 0 ? EXIT.someFailed : code;
}

async function downloadOne(
  file: FileRecord,
  path: string,
  folder: string,
  tally: Tally,
  display: ProgressDisplay,
  { api, output, signal, parallel, force }: ManyOptions,
): Promise<void> {
  for (const segment of path.split('/')) assertHarmlessName(segment);
  const target = join(folder, ...path.split('/'));
  const follow = tally.follow();
  if (await isThere(file, target, signal)) {
    tally.already++;
    follow({ ...NOTHING, storedBytes: file.size, resumedBytes: file.size });
    output.event({ event: 'skipped', path: target, reason: 'downloaded', file_id: file.file_id });
    return;
  }
  await mkdir(dirname(target), { recursive: true });
  const transfer = display.begin(file.filename, file.size, path);
  let resumedBytes: number | null = null;
  try {
    await download(
      api,
      file,
      { path: target, replace: force, lock: lockFolder },
      {
        parallel,
        signal,
        onProgress: (doneBytes, _totalBytes, lastError) => {
          resumedBytes ??= doneBytes;
          follow({ ...NOTHING, storedBytes: doneBytes, resumedBytes, sentBytes: doneBytes - resumedBytes });
          transfer.update(doneBytes, doneBytes < file.size ? 'receiving' : 'verifying', lastError);
        },
      },
    );
  } finally {
    transfer.end();
  }
  tally.done++;
  output.result({ event: 'done', path: target, ...file }, () => `${target}  ${formatBytes(file.size)}`);
}

/** True when the target has the bytes of the file. */
async function isThere(file: FileRecord, target: string, signal: AbortSignal): Promise<boolean> {
  const stats = await stat(target).catch(() => null);
  if (!stats?.isFile() || stats.size !== file.size) return false;
  if (file.sha256 === null) return await hasBytesOf(file, target, signal);
  return (await hashPath(target, signal)) === file.sha256;
}

/** Also for file systems that do not tell upper from lower case. @throws Refusal `same_path` */
function assertDifferentPaths(records: readonly FoundRecord[]): void {
  const byPath = Map.groupBy(records, ({ path }) => path.normalize('NFC').toLowerCase());
  for (const [, same] of byPath) {
    const [one, other] = same;
    if (!one || !other) continue;
    throw new Refusal(
      'same_path',
      `two files have the path ${other.path}: ${one.file.file_id} and ${other.file.file_id}`,
      'Nothing was downloaded. Download one of them by its id with -o NAME, or delete one of them.',
    );
  }
}

function report(output: Output, tally: Tally): void {
  const { files, done, already, failed, movedBytes, seconds } = tally;
  output.event({ event: 'summary', files, done, skipped: already, failed, bytes: tally.sum.storedBytes, seconds });
  const counts = [
    `${done} of ${files} files downloaded, ${formatBytes(movedBytes)}`,
    ...(already > 0 ? [`${already} were already there`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  output.note(counts.join(', '));
}

/** @throws TargetError when the path is there and is no folder. */
export async function assertFolderOrNothing(path: string): Promise<void> {
  const stats = await stat(path).catch(() => null);
  if (stats === null || stats.isDirectory()) return;
  throw new TargetError('target_unwritable', `${path} is not a folder.`, 'Give a folder for several files (-o).');
}
