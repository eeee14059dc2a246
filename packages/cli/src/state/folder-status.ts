/** The status of one watched folder, gathered from the events of its watch. */
import { isAbsolute, relative } from 'node:path';
import { Rate } from '@cryolift/client';
import type { Output } from '../output/output.ts';
import type { Transfer } from '../output/transfer.ts';
import { describeFailure } from '../process/failure.ts';
import type { WatchCounts, Watcher } from '../watch/watcher.ts';
import { DiskRoom } from './disk-room.ts';
import type { FolderReport, FolderState, Problem } from './report.ts';

const AWAY_HINT = 'Connect the share or create the folder; the watch continues by itself.';
const SERVER_HINT = 'The watch tries again by itself; `cryolift doctor` checks the connection.';
const NONE: WatchCounts = { waiting: 0, uploading: 0, failed: 0, refused: 0, unreadable: 0, isHeld: false };

/** An event of the watch, as `--json` prints it. */
interface WatchEvent {
  readonly event?: string;
  readonly path?: string;
  /** Of `skipped`; `known`: the server had the bytes, and has the file now. */
  readonly reason?: string;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string | null;
}

export class FolderStatus {
  readonly #folder: string;
  readonly #rate = new Rate();
  readonly #room: DiskRoom;
  #movedBytes = 0;
  #watcher: Watcher | null = null;
  /** What keeps the whole folder from being watched. */
  #blocked: (Problem & { readonly kind: 'away' | 'server' | 'stopped' }) | null = null;
  /** The errors after which running transfers wait. */
  readonly #waits = new Map<object, string>();
  #done = 0;
  #activeMs: number | null = null;
  #lastSuccess: FolderReport['last_success'] = null;
  #lastError: FolderReport['last_error'] = null;

  constructor(folder: string) {
    this.#folder = folder;
    this.#room = DiskRoom.of(folder);
  }

  noteStart(watcher: Watcher, last: FolderReport['last_success']): void {
    this.#watcher = watcher;
    this.#blocked = null;
    this.#lastSuccess ??= last;
  }

  /** The watch of this folder has ended, and is started again later. */
  noteStopped(error: unknown, hint: string | null): void {
    const { code, message, hint: own } = describeFailure(error);
    this.#watcher = null;
    this.#blocked = { kind: 'stopped', code, message, hint: hint ?? own };
  }

  noteEvent(value: object): void {
    const { event, path, reason, code = 'failed', message = '', hint = null } = value as WatchEvent;
    const at = new Date().toISOString();
    if (event === 'away') this.#blocked = { kind: 'away', code: 'folder_away', message, hint: AWAY_HINT };
    else if (event === 'waiting') this.#blocked = { kind: 'server', code: 'server_away', message, hint: SERVER_HINT };
    else if (event === 'back') this.#blocked = null;
    else if (event === 'error') this.#lastError = { code, message, hint, path: path ? this.#below(path) : null, at };
    else if (event === 'done' || (event === 'skipped' && reason === 'known')) {
      this.#done++;
      this.#lastSuccess = { path: this.#below(path ?? ''), at };
    }
  }

  /** The progress of a file; a message only when it waits after an error. */
  begin(output: Output, path: string): Transfer {
    let movedBytes: number | null = null;
    const transfer: Transfer = {
      update: (doneBytes, _state, lastError, moved = doneBytes) => {
        // What the server had before this run is not a rate.
        this.#movedBytes += movedBytes === null ? 0 : Math.max(0, moved - movedBytes);
        movedBytes = moved;
        this.#rate.note(this.#movedBytes);
        if (lastError === null) this.#waits.delete(transfer);
        else if (this.#waits.get(transfer) !== lastError) {
          this.#waits.set(transfer, lastError);
          output.note(`${path}: waiting: ${lastError}`);
        }
      },
      end: () => void this.#waits.delete(transfer),
    };
    return transfer;
  }

  /** Call it about every second: what is there to do at these times counts as activity. */
  report(): FolderReport {
    const counts = this.#watcher?.counts ?? null;
    if (counts && this.#blocked?.kind === 'server') this.#blocked = null;
    const { waiting, uploading, failed, refused, unreadable } = counts ?? NONE;
    if (waiting + uploading > 0) this.#activeMs = Date.now();
    this.#rate.note(this.#movedBytes);
    this.#room.look(Date.now());
    const room = this.#room.report;
    const problem = this.#findProblem(counts);
    const state: FolderState = problem
      ? 'problem'
      : counts === null
        ? 'starting'
        : uploading > 0
          ? 'uploading'
          : waiting > 0
            ? 'waiting'
            : 'idle';
    return {
      folder: this.#folder,
      state,
      ...{ waiting, uploading, done: this.#done, failed, refused, unreadable },
      bytes_per_second: uploading > 0 ? Math.round(this.#rate.bytesPerSecond) : 0,
      free_bytes: room?.freeBytes ?? null,
      disk_full_at: room?.fullAtMs ? new Date(room.fullAtMs).toISOString() : null,
      active_at: this.#activeMs === null ? null : new Date(this.#activeMs).toISOString(),
      last_success: this.#lastSuccess,
      last_error: this.#lastError,
      problem,
    };
  }

  #findProblem(counts: WatchCounts | null): Problem | null {
    if (this.#blocked) {
      const { code, message, hint } = this.#blocked;
      return { code, message, hint };
    }
    const [wait] = this.#waits.values();
    if (wait !== undefined) return { code: 'server_away', message: wait, hint: SERVER_HINT };
    if (!counts) return null;
    const { failed, refused, unreadable, isHeld } = counts;
    const last = this.#lastError;
    if (isHeld && last) return { code: last.code, message: last.message, hint: last.hint ?? SERVER_HINT };
    if (failed + refused + unreadable === 0) return null;
    const parts = [
      ...(failed > 0 ? [`${failed} failed`] : []),
      ...(refused > 0 ? [`${refused} refused by the server`] : []),
      ...(unreadable > 0 ? [`${unreadable} cannot be read or sent`] : []),
    ];
    const hint = last && `${last.path ?? this.#folder}: ${last.message}${last.hint === null ? '' : ` ${last.hint}`}`;
    return { code: 'files_failed', message: `files: ${parts.join(', ')}`, hint };
  }

  #below(path: string): string {
    return isAbsolute(path) ? relative(this.#folder, path) : path;
  }
}
