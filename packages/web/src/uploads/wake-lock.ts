/** A screen wake lock: a machine that sleeps does not upload. */
import type { Cell } from '../cell.ts';
import { isActive, type Upload } from './upload.ts';

/** Keeps the screen on while uploads are active. Without effect when the browser has no wake lock or denies it. */
export function holdWakeLock(uploads: Cell<readonly Upload[]>): void {
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
  // The browser releases the lock when the tab is hidden.
  document.addEventListener('visibilitychange', update);
}
