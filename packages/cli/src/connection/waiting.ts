/** Messages of a command that waits for the server. */
import type { Output } from '../output/output.ts';

/** The same message is repeated after this time. */
const AGAIN_MS = 60_000;

/**
 * @param what is waited for.
 * @returns a function that reports each failure after which the command waits, unless it was just reported.
 */
export function sayWaiting(output: Output, what = 'the server'): (error: unknown) => void {
  let said = '';
  let saidMs = 0;
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const nowMs = performance.now();
    if (message === said && nowMs - saidMs < AGAIN_MS) return;
    said = message;
    saidMs = nowMs;
    output.event({ event: 'waiting', message });
    output.note(`waiting for ${what}: ${message}`);
  };
}
