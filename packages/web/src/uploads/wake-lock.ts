/** A machine that falls asleep uploads nothing. */
import type { Cell } from '../cell.ts';
import { isActive, type Upload } from './upload.ts';

/** Asks the browser to keep the screen on while files are under way; where it has no such thing, or says no, nothing happens. */
export function keepAwake(uploads: Cell<readonly Upload[]>): void {
  let lock: Promise<WakeLockSentinel | null> | null = null;
  const update = () => {
    const wanted = document.visibilityState === 'visible' && uploads.value.some(isActive);
    if (wanted && !lock) lock = navigator.wakeLock?.request('screen').catch(() => null) ?? null;
    if (!wanted && lock) {
      void lock.then((held) => held?.release());
      lock = null;
    }
  };
  uploads.watch(update);
  // The browser releases it by itself when the tab is hidden.
  document.addEventListener('visibilitychange', update);
}
