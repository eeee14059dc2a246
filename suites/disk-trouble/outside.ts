/** Trouble of a disk where no server answers: while one starts, and in commands that read its data folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDeployment, removeFolder, whyNoDeployment } from '../crash-points/deployments.ts';
import { publishOne } from '../crash-points/own-secret.ts';
import { runServe, type Settings, startServer } from '../server-under-test.ts';
import { ERRNOS, printTrial, readKinds, type Trial } from './trials.ts';
import { arm, disarm, makeFolder, PRELOAD, readLines, settingsOf } from './trouble-site.ts';

const BACKUPS = fileURLToPath(new URL('./backups.ts', import.meta.url));
/** One line for a person behind the log, and no stack. */
const EXPLAINED = /^(?:\{[^\n]+\n)*cryolift: [^\n]+\n$/;
const START_MODULES = [
  'config/places.ts',
  'config/secret.ts',
  'flush.ts',
  'storage/disk/boot-id.ts',
  'storage/shared/owner-mark.ts',
];
const BACKUP_MODULES = ['backup.ts', 'db/sqlite/backup.ts', 'flush.ts'];
/** Of a shared folder alone, in the order in which they are made. */
const MARKING = ['writeFile', 'link', 'rm'].map((name) => `storage/shared/owner-mark.ts ${name}`);
/** Not at a start: after an error of SQLite; for a backup. */
const NOT_AT_START = ['config/places.ts writeFile', 'config/places.ts rm', 'flush.ts readdir'];

export function listStartCalls(): string[] {
  return callsOf(START_MODULES).filter((call) => !NOT_AT_START.includes(call) && !MARKING.includes(call));
}

export function listBackupCalls(): string[] {
  return callsOf(BACKUP_MODULES).map((call) => (/backup.ts open$/.test(call) ? `${call} for writing` : call));
}

function callsOf(modules: readonly string[]): string[] {
  return readKinds().filter((kind) => modules.includes(kind.split(' ', 1)[0] as string));
}

/** The first start of a server, which makes its own secrets. @returns what was wrong. */
export async function failStart(folder: string, trial: Trial, more: Settings = {}): Promise<string[]> {
  removeFolder(join(folder, 'data'));
  arm(folder, { calls: [trial.call], nth: trial.nth, lasts: trial.lasts, code: trial.trouble });
  const { code, stdout, stderr, started } = await tryStart({ ...startSettings(folder), ...more });
  const isReached = readLines(folder, 'failed').length > 0;
  disarm(folder);
  if (!isReached) return ['the call was not made'];
  if (started) return [];
  const faults: string[] = [];
  if (code !== 1) faults.push(`it ended with ${code}`);
  if (stdout !== '') faults.push(`it printed ${stdout}`);
  if (!EXPLAINED.test(stderr)) faults.push(`it said ${stderr}`);
  return faults;
}

/** Without trouble it starts on what was left, and works. */
export async function startAgain(folder: string, more: Settings = {}): Promise<void> {
  const server = await startServer({ ...startSettings(folder), ...more });
  await publishOne(server, join(folder, 'data'));
  await server.discard();
}

function startSettings(folder: string): Settings {
  const dataDir = join(folder, 'data');
  return {
    ...settingsOf(folder),
    CRYOLIFT_PORT: '0',
    CRYOLIFT_DATA_DIR: dataDir,
    CRYOLIFT_JWT_SECRET: '',
    CRYOLIFT_WEBHOOK_URL: 'http://127.0.0.1:9/',
  };
}

async function tryStart(settings: Settings) {
  return await runServe(settings).then(
    (result) => ({ ...result, started: false }),
    (error: Error) => {
      if (!/the server started/.test(error.message)) throw error;
      return { code: null, stdout: '', stderr: '', started: true };
    },
  );
}

/** Backups of a server's data, one for each trial. @returns what was wrong. */
export async function failBackups(folder: string, dataDir: string, trials: readonly Trial[]): Promise<string[]> {
  const env = { ...process.env, NODE_OPTIONS: `--import ${PRELOAD}`, TROUBLE_FOLDER: folder };
  const args = [BACKUPS, folder, dataDir, JSON.stringify(trials)];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = await once(child, 'close');
  return code === 0 ? (JSON.parse(stdout) as string[]) : [`the program ended with ${code}`];
}

/** The first start on a shared folder, each on a new database. */
async function failMarks(trials: readonly Trial[]): Promise<string[]> {
  const faults: string[] = [];
  for (const trial of trials) {
    const folder = makeFolder();
    const { settings } = await openDeployment('shared', folder);
    const found = await failStart(folder, trial, settings);
    await startAgain(folder, settings).catch((error: Error) => found.push(error.message));
    faults.push(...found.map((fault) => `${printTrial(trial)}: ${fault}`));
    removeFolder(folder);
  }
  return faults;
}

/** Each kind with each error, once; after each first start another one without trouble. */
export async function failOutside(isWanted: (trial: Trial) => boolean): Promise<{ count: number; faults: string[] }> {
  const toTrials = (calls: readonly string[]) =>
    calls
      .flatMap((call) => ERRNOS.map((trouble) => ({ call, trouble, nth: 1, lasts: false }) as const))
      .filter(isWanted);
  const folder = makeFolder();
  const faults: string[] = [];
  const [starts, backups] = [toTrials(listStartCalls()), toTrials(listBackupCalls())];
  for (const trial of starts) {
    const found = await failStart(folder, trial);
    await startAgain(folder).catch((error: Error) => found.push(error.message));
    faults.push(...found.map((fault) => `${printTrial(trial)}: ${fault}`));
  }
  if (whyNoDeployment('shared') === null) faults.push(...(await failMarks(toTrials(MARKING))));
  const dataDir = join(folder, 'data');
  faults.push(...(await failBackups(folder, dataDir, backups)));
  removeFolder(folder);
  return { count: starts.length + MARKING.length * ERRNOS.length + backups.length, faults };
}
