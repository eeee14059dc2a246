/** A recorded run of the server: what its disk was told, and what its clients knew at each moment. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Received } from '../webhooks/receiver.ts';
import { readCalls } from './calls.ts';
import { History } from './history.ts';
import type { Layout } from './own-process.ts';
import type { SavedWork } from './snapshot.ts';
import { type DiskState, readState, replayAll } from './state.ts';
import { traceNode } from './strace.ts';

const RECORDER = fileURLToPath(new URL('./recorder.ts', import.meta.url));
const REQUEST_ID = /^x-request-id: *(\S+)/im;
/** SQLite's index of the WAL is written by mapped memory, and made anew after a power loss. */
const MAPPED = /-shm$/;

/** What clients know from a moment on. */
interface Known {
  readonly from: number;
  readonly text: string;
  /** An answer has said so. */
  readonly isAnswered: boolean;
}

export class Recording {
  readonly folder: string;
  readonly layout: Layout;
  readonly history: History;
  /** Of the tokens. */
  readonly secret: string;
  readonly #known: Known[] = [];
  readonly #events: { readonly from: number; readonly event: Received }[] = [];

  /** @param folder of a recorder that has ended. */
  constructor(folder: string, layout: Layout) {
    this.folder = folder;
    this.layout = layout;
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    this.history = new History(readCalls(read('calls')), join(folder, 'disk'));
    this.secret = read('secret');
    const snapshots = read('snapshots').split('\n');
    const events = read('events').split('\n');
    const sent = findAnswers(this.history);
    let from = 0;
    for (const { path, bytes, ended } of this.history.others) {
      if (path !== join(folder, 'marks')) continue;
      const [kind, ...ids] = bytes.toString().trim().split(' ');
      if (kind === 'event') {
        this.#events.push({ from: ended, event: JSON.parse(events[this.#events.length] as string) });
        continue;
      }
      const moments = ids.map((id) => sent.get(id));
      if (moments.includes(undefined)) throw new Error(`the answer to ${ids} is not in the list`);
      // Never before what was known before: a snapshot has that, too.
      from = Math.max(from, ids.length > 0 ? Math.max(...(moments as number[])) : ended);
      this.#known.push({ from, text: snapshots[this.#known.length] as string, isAnswered: ids.length > 0 });
    }
  }

  /** Runs the server. @param layout where it keeps its data. @throws Error when the run, or the list of calls, is not right. */
  static async make(layout: Layout): Promise<Recording> {
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-recording-'));
    mkdirSync(join(folder, 'disk'), { mode: 0o700 });
    writeFileSync(join(folder, 'layout'), layout);
    await traceNode([RECORDER, folder, layout], join(folder, 'calls'));
    const recording = new Recording(folder, layout);
    const differences = recording.#findDifferences();
    if (differences.length > 0) throw new Error(`${folder} is not what the calls say: ${differences.join('; ')}`);
    return recording;
  }

  /** What was recorded earlier. */
  static open(folder: string): Recording {
    return new Recording(folder, readFileSync(join(folder, 'layout'), 'utf8') as Layout);
  }

  discard(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Moments of a power loss, and those at which an answer was sent. */
  get moments(): { readonly any: readonly number[]; readonly answers: readonly number[] } {
    return {
      any: this.history.moments,
      answers: this.#known.filter(({ isAnswered }) => isAnswered).map(({ from }) => from),
    };
  }

  /** @returns null: nobody knew anything. */
  knownAt(at: number): readonly SavedWork[] | null {
    const known = this.#known.findLast(({ from }) => from <= at);
    return known ? (JSON.parse(known.text) as SavedWork[]) : null;
  }

  eventsAt(at: number): Received[] {
    return this.#events.filter(({ from }) => from <= at).map(({ event }) => event);
  }

  /** A call that was not seen, or not understood, leaves the disk other than the list says. */
  #findDifferences(): string[] {
    return compareStates(replayAll(this.history), readState(join(this.folder, 'disk')));
  }
}

/** By the id of the request, when the first bytes of its answer were given to the system. */
function findAnswers(history: History): Map<string, number> {
  const sent = new Map<string, number>();
  for (const { bytes, ended } of history.others) {
    if (!bytes.subarray(0, 5).equals(Buffer.from('HTTP/'))) continue;
    const [, id] = REQUEST_ID.exec(bytes.toString('latin1')) ?? [];
    if (id) sent.set(id, ended);
  }
  return sent;
}

function compareStates(expected: DiskState, found: DiskState): string[] {
  const paths = new Set([...expected.keys(), ...found.keys()].filter((path) => !MAPPED.test(path)));
  return [...paths].flatMap((path) => {
    const [one, other] = [expected.get(path), found.get(path)];
    if (!one || !other) return [`${path} is ${one ? 'missing' : 'not explained'}`];
    if (one.mode !== other.mode) return [`${path} has the mode ${other.mode.toString(8)}, not ${one.mode.toString(8)}`];
    return Buffer.compare(one.bytes ?? Buffer.alloc(0), other.bytes ?? Buffer.alloc(0)) === 0
      ? []
      : [`${path} has other bytes`];
  });
}
