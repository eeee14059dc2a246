/** Watches several folders in one process. The trouble of one does not stop the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Uploader } from '@cryolift/client';
import { type ConnectionOptions, createUploader, type OnSignedOut, serverOf } from '../connection/connection.ts';
import { Bandwidth } from '../options/bandwidth.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, Interrupted } from '../process/exit.ts';
import { exitCodeOf } from '../process/failure.ts';
import type { FolderSettings, Settings } from '../settings/settings.ts';
import type { FolderStatus } from '../state/folder-status.ts';
import { pauseAfter } from './holding.ts';
import { type FolderFlags, watchFolder } from './watch-folder.ts';

/** A folder whose watch has ended is tried again after this time at most: somebody may have replaced the token. */
const LONGEST_PAUSE_MS = 60_000;

export interface AllFoldersContext {
  /** The server and the credential of all folders. */
  readonly connection: ConnectionOptions;
  readonly json: boolean;
  readonly once: boolean;
  readonly log: (lines: string) => void;
  readonly signal: AbortSignal;
}

export class AllFolders {
  readonly #settings: Settings;
  readonly #context: AllFoldersContext;
  readonly #bandwidth: Bandwidth | null;
  /** By folder; the folders without connections of their own share one. */
  readonly #uploaders = new Map<FolderSettings | null, Uploader>();

  constructor(settings: Settings, context: AllFoldersContext) {
    this.#settings = settings;
    this.#context = context;
    this.#bandwidth = settings.shared.bwlimit ? new Bandwidth(settings.shared.bwlimit) : null;
  }

  /** @param statuses one for each folder, in order. @returns at the end of a watch with `once`, or after a signal. */
  async run(statuses: readonly FolderStatus[]): Promise<ExitCode> {
    const runs = this.#settings.folders.map((folder, at) => this.#watch(folder, statuses[at] as FolderStatus));
    const codes = await Promise.all(runs);
    for (const code of [EXIT.interrupted, EXIT.unauthorised]) if (codes.includes(code)) return code;
    const [first = EXIT.done] = codes;
    return codes.every((code) => code === first) ? first : EXIT.someFailed;
  }

  async #watch(settings: FolderSettings, status: FolderStatus): Promise<ExitCode> {
    const { json, once, log, signal } = this.#context;
    const { folder } = settings;
    const output = new Output(json, { folder, log, onEvent: (event) => status.noteEvent(event) });
    for (let times = 1; ; times++) {
      const startedMs = performance.now();
      try {
        return await this.#watchOnce(settings, status, output);
      } catch (error) {
        if (error instanceof Interrupted) return EXIT.interrupted;
        output.failure(error);
        if (once) return exitCodeOf(error);
        if (performance.now() - startedMs > LONGEST_PAUSE_MS) times = 1;
        const pauseMs = Math.min(LONGEST_PAUSE_MS, pauseAfter(times));
        const hint = this.#dropRefused(settings, error);
        status.noteStopped(error, hint);
        output.note(`${hint ?? 'this folder is watched again'} (in ${Math.round(pauseMs / 1000)} s)`);
        await sleep(pauseMs, undefined, { signal }).catch(() => {});
        if (signal.aborted) return EXIT.interrupted;
      }
    }
  }

  async #watchOnce(settings: FolderSettings, status: FolderStatus, output: Output): Promise<ExitCode> {
    const { connection, once, signal } = this.#context;
    // Ends what is still under way when the watch of this folder fails.
    const attempt = new AbortController();
    try {
      return await watchFolder(
        settings.folder,
        { ...toFlags(settings), once },
        {
          server: serverOf(connection),
          createUploader: (onSignedOut) => this.#uploaderOf(settings, onSignedOut),
          output,
          display: { begin: (_name, _totalBytes, path = '') => status.begin(output, path) },
          signal: AbortSignal.any([signal, attempt.signal]),
          onStart: (watcher, last) => status.noteStart(watcher, last),
        },
      );
    } finally {
      attempt.abort(new Interrupted('the watch of this folder has ended'));
    }
  }

  #uploaderOf(settings: FolderSettings, onSignedOut?: OnSignedOut): Uploader {
    const key = settings.own ? settings : null;
    const known = this.#uploaders.get(key);
    if (known) return known;
    const { parallel, compress } = settings.own ?? this.#settings.shared;
    const bwlimit = settings.own?.bwlimit;
    const flags = { ...this.#context.connection, parallel, compress, ...(bwlimit ? { bwlimit } : {}) };
    const uploader = createUploader(flags, { outer: this.#bandwidth, onSignedOut });
    this.#uploaders.set(key, uploader);
    return uploader;
  }

  /** After a credential was refused, its file is read again. @returns what a person has to do; null: not known. */
  #dropRefused(settings: FolderSettings, error: unknown): string | null {
    if (exitCodeOf(error) !== EXIT.unauthorised) return null;
    this.#uploaders.delete(settings.own ? settings : null);
    const { tokenFile, linkFile } = this.#settings;
    if (linkFile !== null) return `put a new upload link into ${linkFile}: it is read again`;
    return tokenFile === null ? null : `put a new token into ${tokenFile}: it is read again`;
  }
}

function toFlags({
  settle,
  moveTo,
  delete: isDeleted,
  afterReceipt,
  skipKnown,
  include,
  exclude,
  files,
  meta,
}: FolderSettings): FolderFlags {
  return {
    settle,
    files,
    meta,
    delete: isDeleted,
    afterReceipt,
    skipKnown,
    ...(moveTo === undefined ? {} : { moveTo }),
    ...(include ? { include: [...include] } : {}),
    ...(exclude ? { exclude: [...exclude] } : {}),
  };
}
