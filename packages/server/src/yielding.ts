/** Long work of this thread lets others be served in between. */
import { setImmediate } from 'node:timers/promises';

/** So long others wait. */
const TURN_MS = 5;

/** @returns what the work awaits after each step: it resolves at once until its turn has been long enough. */
export function takeTurns(): () => Promise<void> {
  let beganMs = performance.now();
  return async () => {
    if (performance.now() - beganMs < TURN_MS) return;
    await setImmediate();
    beganMs = performance.now();
  };
}
