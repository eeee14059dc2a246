/** `cryolift watch status`: whether the watch of a settings file runs, and what each folder does. */
import { formatBytes, formatSeconds, formatWhen } from '../../output/format.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../../process/exit.ts';
import { findWatch, type WatchChoice } from '../../service/find-watch.ts';
import { chooseService, isInstalled, thisHost } from '../../service/install.ts';
import { planService } from '../../service/plan.ts';
import { readLastLines } from '../../state/log-file.ts';
import type { FolderReport, WatchReport } from '../../state/report.ts';
import { isSilent, readState } from '../../state/watch-state.ts';

export interface StatusFlags extends WatchChoice {
  json?: boolean;
  live?: boolean;
}

/** @returns `failed` when the watch does not run, or has not reported for a minute. */
export async function showWatchStatus(flags: StatusFlags): Promise<ExitCode> {
  const found = await findWatch(flags);
  if (flags.live) {
    if (flags.json) throw new UsageError('give only one of --live and --json');
    const { showLive } = await import('./live.ts');
    return await showLive(found);
  }
  const { scope, config, places } = found;
  const { kind, report } = readState(places);
  const running = kind === 'running';
  const [lastLine = null] = running ? [] : readLastLines(places.log, 1);
  const choice = chooseService(scope, config, []);
  const installed = isInstalled(planService(choice, thisHost(scope)));
  const value = {
    config,
    installed,
    running,
    pid: running ? (report?.pid ?? null) : null,
    started_at: report?.started_at ?? null,
    written_at: report?.written_at ?? null,
    last_log_line: lastLine,
    folders: report?.folders ?? [],
  };
  const nowMs = Date.now();
  new Output(flags.json).result(value, () => [
    `watch of ${config}`,
    `service: ${installed ? 'installed' : 'not installed'}`,
    describeProcess(running, report, nowMs),
    ...(lastLine === null ? [] : [`  last line of its log: ${lastLine}`]),
    ...(report?.folders ?? []).flatMap((folder) => describeFolder(folder, nowMs)),
  ]);
  return running && !(report && isSilent(report, nowMs)) ? EXIT.done : EXIT.failed;
}

function describeProcess(running: boolean, report: WatchReport | null, nowMs: number): string {
  if (!report) return running ? 'running' : 'not running, and it has never run';
  const { pid, started_at, written_at } = report;
  if (!running) return `NOT RUNNING; its last report is from ${written_at}:`;
  const since = formatSeconds((nowMs - Date.parse(started_at)) / 1000);
  const silent = isSilent(report, nowMs) ? `; DOES NOT ANSWER since ${written_at}` : '';
  return `running for ${since}, process ${pid}${silent}`;
}

function describeFolder(report: FolderReport, nowMs: number): string[] {
  const { folder, state, waiting, uploading, done, failed, refused, unreadable, bytes_per_second } = report;
  const { last_success, last_error, problem } = report;
  const rate = bytes_per_second > 0 ? ` (${formatBytes(bytes_per_second)}/s)` : '';
  const counts = [
    `${uploading} uploading${rate}`,
    `${waiting} waiting`,
    `${done} uploaded since the start`,
    `${failed} failed`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
  ];
  return [
    `${folder}: ${state}`,
    `  ${counts.join(', ')}`,
    ...(last_success ? [`  last upload: ${last_success.path}, ${formatWhen(last_success.at, nowMs)}`] : []),
    ...(problem ? [`  problem: ${problem.message}`, ...(problem.hint ? [`    ${problem.hint}`] : [])] : []),
    ...(last_error && !problem
      ? [`  last error: ${last_error.path ?? ''} ${last_error.message} (${formatWhen(last_error.at, nowMs)})`]
      : []),
    ...(typeof report.free_bytes === 'number'
      ? [`  disk: ${formatBytes(report.free_bytes)} free${describeEnd(report, nowMs)}`]
      : []),
  ];
}

function describeEnd({ disk_full_at }: FolderReport, nowMs: number): string {
  return disk_full_at ? `, full about ${formatWhen(disk_full_at, nowMs)}` : '';
}
