/** Settings files for `cryolift watch --config`, and what its processes report. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { findSecret, signToken } from '../connection/own-token.ts';
import type { FolderReport, WatchReport } from '../state/report.ts';
import { placesOf } from '../state/watch-state.ts';
import type { TestBench } from './test-process.ts';

const TOKEN_SECONDS = 3600;

/** Writes a token file for this server. @returns its path. */
export async function writeToken(bench: TestBench, name = 'token'): Promise<string> {
  const secret = (await findSecret({}, bench.path('data'))) ?? '';
  const token = await signToken(secret, 'local', 'uploads:write files:read', TOKEN_SECONDS, {});
  await writeFile(bench.path(name), `${token}\r\n`);
  return bench.path(name);
}

/** Makes each folder, and writes a file that watches them. @param lines more lines of each folder. @returns its path. */
export async function writeSettings(
  bench: TestBench,
  name: string,
  folders: Readonly<Record<string, string>>,
  top = '',
): Promise<string> {
  const tables = Object.entries(folders).map(
    ([folder, lines]) => `[[watch]]\nfolder = '${bench.path(folder)}'\nsettle = "1s"\n${lines}\n`,
  );
  for (const folder of Object.keys(folders)) await mkdir(bench.path(folder), { recursive: true });
  const path = bench.path(`${name}.toml`);
  await writeFile(path, `server = "${bench.url}"\ntoken_file = '${bench.path('token')}'\n${top}\n${tables.join('')}`);
  return path;
}

/** Where the processes of the bench keep the state of a settings file. */
function placesIn(bench: TestBench, config: string) {
  const before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = bench.path('.local/state');
  try {
    return placesOf(config, 'user');
  } finally {
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  }
}

/** Waits until the status of a watch fits. @returns its folders. */
export async function awaitStatus(
  bench: TestBench,
  config: string,
  fits: (folders: readonly FolderReport[], report: WatchReport) => boolean,
): Promise<readonly FolderReport[]> {
  let last: unknown = null;
  for (const deadlineMs = Date.now() + 60_000; Date.now() < deadlineMs; await sleep(50)) {
    const text = await readFile(placesIn(bench, config).status, 'utf8').catch(() => null);
    if (text === null) continue;
    const report = JSON.parse(text) as WatchReport;
    last = report;
    if (fits(report.folders, report)) return report.folders;
  }
  throw new Error(`the status does not come: ${JSON.stringify(last, null, 2)}`);
}
