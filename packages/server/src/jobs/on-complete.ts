/**
 * The job that runs the administrator's command on a published file. The file's record comes on standard input as JSON,
 * its path as the last argument (in a bucket, its `s3://` URL; the record has a signed URL to read it by); no shell takes part, so a file's name is never read as anything else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findFile } from '../db/files.ts';
import type { FileContext } from '../files/files.ts';
import { toFilePlace, toFileRecord } from '../files/record.ts';
import type { JobOutcome, Work } from './queue.ts';

export const ON_COMPLETE = 'on_complete';

/** Stored length of the end of its output. */
const OUTPUT_BYTES = 4096;
/** Time between SIGTERM and SIGKILL. */
const KILL_MS = 5_000;
/** After its end, how long to wait for its last output. */
const OUTPUT_MS = 500;
/** `EX_TEMPFAIL` of sysexits.h: try again later. */
const TRY_LATER = 75;
export interface Command {
  /** The program and its first arguments. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

export function onCompleteWork(context: FileContext, command: Command): Work {
  return {
    maxAttempts: 10,
    async run({ file_id }, signal) {
      const row = await findFile(context.db, file_id);
      if (!row) return { status: 'failed', detail: { message: 'The file was deleted before the command ran.' } };
      const location = context.storage.files.locate(toFilePlace(row));
      const isLocal = location.startsWith('file:');
      const record = {
        ...toFileRecord(row, location),
        // The command has no keys of the bucket.
        ...(isLocal ? {} : { source_url: await context.storage.files.sourceUrl(toFilePlace(row)) }),
      };
      return await runCommand(command, isLocal ? fileURLToPath(location) : location, JSON.stringify(record), signal);
    },
  };
}

/** Runs a command to its end, which is the end of its process group. @param last its last argument. */
export async function runCommand(
  { command: [program = '', ...args], timeoutMs, env }: Command,
  last: string,
  input: string,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const startedMs = performance.now();
  const child = spawn(program, [...args, last], { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const end = ended(child);
  // The command did not start: without free descriptors it has no pipes.
  if (!child.stdout) throw new Error(`The command could not be run (${describe((await end).error)}).`);
  if (child.pid) lowerPriority(child.pid);
  const output = new Tail(OUTPUT_BYTES);
  child.stdout.on('data', (bytes: Buffer) => output.add(bytes));
  child.stderr.on('data', (bytes: Buffer) => output.add(bytes));
  // A command need not read its input.
  child.stdin.on('error', () => {});
  child.stdin.end(input);

  let isLate = false;
  const stop = () => endGroup(child);
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, timeoutMs);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  const { exitCode, endSignal, error } = await end;
  clearTimeout(timer);
  signal.removeEventListener('abort', stop);
  // Its child processes may keep them open without end.
  child.stdout.destroy();
  child.stderr.destroy();
  // The system cannot start a process now.
  if (error?.code === 'EAGAIN') throw new Error(`The command could not be run (${describe(error)}).`);

  const detail = {
    exit_code: exitCode,
    ...(endSignal ? { signal: endSignal } : {}),
    ...(isLate ? { message: `The command was killed after ${Math.round(timeoutMs / 1000)} s.` } : {}),
    ...(error ? { message: `The command could not be run (${describe(error)}).` } : {}),
    duration_ms: Math.round(performance.now() - startedMs),
    output: output.text(),
  };
  if (exitCode === 0) return { status: 'done', detail };
  return { status: exitCode === TRY_LATER ? 'later' : 'failed', detail };
}

interface End {
  exitCode: number | null;
  endSignal: NodeJS.Signals | null;
  error: NodeJS.ErrnoException | null;
}

function describe(error: NodeJS.ErrnoException | null): string | undefined {
  return error?.code ?? error?.message;
}

async function ended(child: ChildProcess): Promise<End> {
  return await new Promise((resolve) => {
    child.on('error', (error) => resolve({ exitCode: null, endSignal: null, error }));
    child.on('close', (exitCode, endSignal) => resolve({ exitCode, endSignal, error: null }));
    // A child process may keep its output open without end.
    child.on('exit', (exitCode, endSignal) => setTimeout(resolve, OUTPUT_MS, { exitCode, endSignal, error: null }));
  });
}

/** Sends SIGTERM to the group, and SIGKILL if it does not end. */
function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_MS);
  child.on('exit', () => {
    clearTimeout(timer);
    // Child processes that have not ended.
    signalGroup(child, 'SIGKILL');
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid) process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}

/** Keeps the last bytes of the output. */
class Tail {
  readonly #maxBytes: number;
  #bytes = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(-this.#maxBytes)]).subarray(-this.#maxBytes);
  }

  text(): string {
    return this.#bytes.toString().replace(/^\uFFFD+/, '');
  }
}
