/**
 * The job that runs the administrator's command on a published file. The file's record comes on standard input as JSON,
 * its path as the last argument; no shell takes part, so a file's name is never read as anything else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findFile } from '../db/files.ts';
import type { FileContext } from '../files/files.ts';
import { toFilePlace, toFileRecord } from '../files/record.ts';
import type { JobOutcome, Work } from './queue.ts';

export const ON_COMPLETE = 'on_complete';

/** How much of the end of its output is kept. */
const OUTPUT_BYTES = 4096;
/** Between asking a command to end and ending it. */
const KILL_MS = 5_000;
/** After its end, how long its last output may take to come. */
const OUTPUT_MS = 500;
/** `EX_TEMPFAIL` of sysexits.h: try again later. */
const TRY_LATER = 75;
interface Command {
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
      if (!row) return { status: 'failed', detail: { message: 'The file was deleted before the command was run.' } };
      const location = context.storage.files.locate(toFilePlace(row));
      const path = location.startsWith('file:') ? fileURLToPath(location) : location;
      return await runCommand(command, path, JSON.stringify(toFileRecord(row, location)), signal);
    },
  };
}

/** Runs a command to its end, which is the end of its process group. */
export async function runCommand(
  { command: [program = '', ...args], timeoutMs, env }: Command,
  path: string,
  input: string,
  signal: AbortSignal,
): Promise<JobOutcome> {
  const startedMs = performance.now();
  const child = spawn(program, [...args, path], { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const end = ended(child);
  // Nothing was begun: there are no descriptors left for its pipes, and so there are no pipes.
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
  // What it left behind may hold them open for ever.
  child.stdout.destroy();
  child.stderr.destroy();
  // The system has no process for it now.
  if (error?.code === 'EAGAIN') throw new Error(`The command could not be run (${describe(error)}).`);

  const detail = {
    exit_code: exitCode,
    ...(endSignal ? { signal: endSignal } : {}),
    ...(isLate ? { message: `The command was ended after ${Math.round(timeoutMs / 1000)} s.` } : {}),
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
    // A process that it left behind may hold its output open for ever.
    child.on('exit', (exitCode, endSignal) => setTimeout(resolve, OUTPUT_MS, { exitCode, endSignal, error: null }));
  });
}

/** Asks the whole group to end, and ends it if it does not. */
function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_MS);
  child.on('exit', () => {
    clearTimeout(timer);
    // What it started, and has not ended with it.
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

/** The last bytes of what was written. */
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
