/** What a command says while it waits for the server. */
import type { Output } from '../output/output.ts';

/** What stays the same is said again after this long. */
const AGAIN_MS = 60_000;

/** @returns to be told each failure that is waited out; says what is new. */
export function sayWaiting(output: Output): (error: unknown) => void {
  let said = '';
  let saidMs = 0;
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    const nowMs = performance.now();
    if (message === said && nowMs - saidMs < AGAIN_MS) return;
    said = message;
    saidMs = nowMs;
    output.event({ event: 'waiting', message });
    output.note(`waiting for the server: ${message}`);
  };
}
