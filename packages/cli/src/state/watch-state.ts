/** What a `cryolift watch --config` keeps for itself and shows to others: its lock, its status and its log. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFolderLocked, lockFolder } from '@cryolift/client/folder-lock';
import { defaultStateFolder, realPath } from '@cryolift/client/node';
import { Refusal } from '../process/exit.ts';
import { type Scope, systemStateHome } from '../settings/places.ts';
import { LogFile } from './log-file.ts';
import type { FolderReport, WatchReport } from './report.ts';

/** Others look whether it is locked, which takes a moment. */
const LOCK_TRIES = 20;
const LOCK_EVERY_MS = 100;
/** The status is written when it changed, at most this often, and otherwise so that it is known to be current. */
const WRITE_EVERY_MS = 1000;
const CURRENT_EVERY_MS = 5000;
const SILENT_MS = 60_000;

export interface WatchPlaces {
  readonly folder: string;
  readonly lock: string;
  readonly status: string;
  readonly log: string;
}

/** @param config complete path of the settings file: each has its own watch. */
export function placesOf(config: string, scope: Scope): WatchPlaces {
  const name = createHash('sha256').update(config).digest('hex').slice(0, 32);
  const folder = join(stateRoot(scope), 'watch', name);
  return { folder, lock: join(folder, 'lock'), status: join(folder, 'status.json'), log: join(folder, 'log') };
}

/** Two names of one settings file are one watch. The file need not exist. */
export async function completePath(config: string): Promise<string> {
  return await realPath(config).catch(() => resolve(config));
}

/** The folder of all state of this program. */
export function stateRoot(scope: Scope): string {
  const env = scope === 'system' ? { ...process.env, XDG_STATE_HOME: systemStateHome() } : process.env;
  return dirname(defaultStateFolder(env));
}

export class WatchState {
  readonly log: LogFile;
  readonly #places: WatchPlaces;
  readonly #unlock: () => void;
  readonly #config: string;
  readonly #report: () => readonly FolderReport[];
  readonly #startedAt = new Date().toISOString();
  readonly #timer: NodeJS.Timeout;
  #written = '';
  #writtenMs = Number.NEGATIVE_INFINITY;

  private constructor(config: string, places: WatchPlaces, unlock: () => void, report: () => readonly FolderReport[]) {
    this.log = new LogFile(places.log);
    this.#places = places;
    this.#unlock = unlock;
    this.#config = config;
    this.#report = report;
    this.#timer = setInterval(() => this.#write(), WRITE_EVERY_MS);
    this.#write();
  }

  /**
   * @param report is called about once per second.
   * @throws Refusal when a watch with this file runs; the system's error when the folder cannot be written.
   */
  static async open(config: string, scope: Scope, report: () => readonly FolderReport[]): Promise<WatchState> {
    const places = placesOf(config, scope);
    makeFolder(places.folder, scope);
    for (let tries = 1; ; tries++) {
      const unlock = lockFolder(places.lock);
      if (unlock) return new WatchState(config, places, unlock, report);
      if (tries === LOCK_TRIES) break;
      await sleep(LOCK_EVERY_MS);
    }
    throw new Refusal(
      'watch_running',
      `a \`cryolift watch\` with ${config} runs already`,
      '`cryolift watch status` shows it; `cryolift watch uninstall` ends the service.',
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.#writtenMs = Number.NEGATIVE_INFINITY;
    this.#write();
    this.#unlock();
  }

  /** Throws nothing: the next second tries again. */
  #write(): void {
    const folders = this.#report();
    const text = JSON.stringify(folders);
    const ms = performance.now();
    if (text === this.#written && ms - this.#writtenMs < CURRENT_EVERY_MS) return;
    const own = { version: 1, pid: process.pid, config: this.#config, started_at: this.#startedAt } as const;
    const report: WatchReport = { ...own, written_at: new Date().toISOString(), folders };
    const draft = `${this.#places.status}.new`;
    try {
      writeFileSync(draft, `${JSON.stringify(report, null, 2)}\n`);
      renameSync(draft, this.#places.status);
      this.#written = text;
      this.#writtenMs = ms;
    } catch {
      // The disk is full, or on Windows a reader has the file open.
    }
  }
}

/** Other users of the machine may read the state of the service of the system, without its journals. */
function makeFolder(folder: string, scope: Scope): void {
  mkdirSync(folder, { recursive: true, mode: scope === 'system' ? 0o755 : 0o700 });
  if (scope === 'system') for (const each of [folder, dirname(folder)]) chmodSync(each, 0o755);
}

export type Running =
  | { readonly kind: 'running'; readonly report: WatchReport | null }
  /** The last report of an earlier process. */
  | { readonly kind: 'stopped'; readonly report: WatchReport | null };

/** A process that was killed is noticed: its lock has ended with it. */
export function readState(places: WatchPlaces): Running {
  return { kind: isFolderLocked(places.lock) ? 'running' : 'stopped', report: readReport(places.status) };
}

/** True when a process that runs has not written its status for a minute: it hangs. */
export function isSilent({ written_at }: WatchReport, nowMs: number): boolean {
  return nowMs - Date.parse(written_at) > SILENT_MS;
}

function readReport(path: string): WatchReport | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as WatchReport;
  } catch {
    return null;
  }
}
