/** What the live view says of each folder. */
import { formatBytes, formatSeconds } from '../output/format.ts';
import type { FolderReport, Problem } from '../state/report.ts';
import type { Colour } from './paint.ts';

export interface Block {
  readonly title: string;
  /** The state in capitals, and what it is about, for big letters. */
  readonly word: string;
  readonly more: string;
  readonly colour: Colour;
  /** Sentences, the most important first. */
  readonly details: readonly string[];
  readonly isProblem: boolean;
}

/** What is missing, by the code of a problem. */
const MISSING: Readonly<Record<string, string>> = {
  server_away: 'NO SERVER',
  connection_failed: 'NO SERVER',
  foreign_reply: 'NO SERVER',
  folder_away: 'NO FOLDER',
  unauthenticated: 'TOKEN',
  token_expired: 'TOKEN',
  forbidden: 'TOKEN',
};

export function describeFolder(report: FolderReport, startedAt: string, nowMs: number): Block {
  const { folder: title, problem } = report;
  const details = [...(problem ? describeProblem(problem) : []), ...describeWork(report, startedAt, nowMs)];
  return { title, ...describeState(report), details, isProblem: problem !== null };
}

function describeState({ state, uploading, waiting, problem, failed, refused, unreadable }: FolderReport) {
  const files = (count: number) => `${count} ${count === 1 ? 'FILE' : 'FILES'}`;
  if (state === 'problem') {
    const missing = MISSING[problem?.code ?? ''] ?? '';
    const more = problem?.code === 'files_failed' ? files(failed + refused + unreadable) : missing;
    return { word: 'PROBLEM', more, colour: 'red' } as const;
  }
  if (state === 'uploading') return { word: 'UPLOADING', more: files(uploading), colour: 'cyan' } as const;
  if (state === 'waiting') return { word: 'WAITING', more: files(waiting), colour: 'yellow' } as const;
  if (state === 'idle') return { word: 'ALL UPLOADED', more: '', colour: 'green' } as const;
  return { word: 'STARTING', more: '', colour: 'yellow' } as const;
}

function describeProblem({ message, hint }: Problem): string[] {
  return [message, ...(hint === null ? [] : [`What to do: ${hint}`])];
}

function describeWork(report: FolderReport, startedAt: string, nowMs: number): string[] {
  const { state, uploading, waiting, done, bytes_per_second, active_at, last_success, last_error, problem } = report;
  const counts = [
    ...(uploading > 0 ? [`${uploading} uploading at ${formatBytes(bytes_per_second)}/s`] : []),
    ...(waiting > 0 || uploading > 0 ? [`${waiting} waiting`] : []),
    `${done} uploaded since ${clock(startedAt)}`,
  ];
  // A watch that just started does not know of earlier files.
  const quietSince = active_at ?? startedAt;
  const quiet = `Nothing new since ${clock(quietSince)} (${formatSeconds((nowMs - Date.parse(quietSince)) / 1000)})`;
  return [
    counts.join(', '),
    ...(state === 'idle' ? [quiet] : []),
    ...(report.disk_full_at ? [`The disk of the folder will be full about ${clock(report.disk_full_at)}`] : []),
    ...(last_success ? [`Last upload ${clock(last_success.at)}: ${last_success.path}`] : []),
    ...(last_error && !problem ? [`Last error ${clock(last_error.at)}: ${last_error.message}`] : []),
  ];
}

/** `14:03`, with the day when it is another one. */
export function clock(time: string): string {
  const date = new Date(time);
  const hours = [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
  const isToday = date.toDateString() === new Date().toDateString();
  const day = `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;
  return isToday ? hours : `${day} ${hours}`;
}
