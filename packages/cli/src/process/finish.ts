/** Ends the command after its output was delivered, or when the reader of the output has closed it. */
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { endInterrupted, endProcess } from './end-process.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { isInterrupted } from './interrupt.ts';
import { awaitLastWork } from './last-work.ts';

/** What a shell reports for a program that SIGPIPE ended. */
const CLOSED_PIPE = 128 + constants.signals.SIGPIPE;

/** The time that the output of an interrupted command may take. */
const INTERRUPTED_MS = 1000;

type Name = 'stdout' | 'stderr';

/**
 * Ends the process quietly, with exit code 141, when the reader of standard output or standard error has closed the
 * pipe: the command did not finish its work, so this is not exit code 0. Any other write error ends it with a message
 * and exit code 1.
 *
 * @param serving true for the server, which continues without these streams.
 */
export function endWhenOutputFails(serving: boolean): void {
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].on('error', (error: NodeJS.ErrnoException) => {
      // An interrupted command cleans up and ends with exit code 130.
      if (!serving && !isInterrupted()) endAfter(name, error);
    });
  }
}

function endAfter(name: Name, { code }: NodeJS.ErrnoException): never {
  if (code === 'EPIPE') endProcess(CLOSED_PIPE);
  const message = `standard ${name === 'stdout' ? 'output' : 'error'} cannot be written: ${reason(code)}`;
  if (name === 'stdout') process.stderr.write(`cryolift: ${message}\n`);
  endProcess(EXIT.failed);
}

function reason(code: string | undefined): string {
  return code === 'ENOSPC' ? 'no space is left on the device (ENOSPC)' : String(code);
}

/** Writes bytes to standard output. Resolves when the reader has received them. @throws the signal's reason. */
export async function writeOutput(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  process.stdout.write(bytes, () => resolve());
  await promise.finally(() => signal.removeEventListener('abort', onAbort));
}

/** Waits until all output has been written, also with a slow reader, and ends the process. A signal ends the wait. */
export async function endWith(code: ExitCode): Promise<never> {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => endInterrupted());
  const all = Promise.all([delivered('stdout'), delivered('stderr')]);
  // An interrupted command does not wait for a stalled reader.
  await (code === EXIT.interrupted ? Promise.race([all, delay(INTERRUPTED_MS)]) : all);
  await awaitLastWork();
  if (code === EXIT.interrupted) endInterrupted();
  endProcess(code);
}

/**
 * Resolves when all data written so far has reached the reader. An empty write is needed even when nothing is queued:
 * the failure of the last write is reported before the callback of this one.
 */
async function delivered(name: Name): Promise<void> {
  await new Promise<void>((resolve) => process[name].write('', () => resolve()));
}
