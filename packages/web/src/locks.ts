/** Web Locks, shared by the tabs of a browser. Without https there are none, and no tab knows of the others. */

/** @throws the signal's reason when it is aborted before the lock is held. */
export async function withLock<Result>(name: string, signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
  if (navigator.locks) return await navigator.locks.request(name, { signal }, act);
  signal.throwIfAborted();
  return await act();
}

/** Holds a shared lock until the signal is aborted. */
export function holdLock(name: string, signal: AbortSignal): void {
  const held = navigator.locks?.request(name, { mode: 'shared', signal }, async () => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  });
  held?.catch(() => {});
}

export async function isLockHeld(name: string): Promise<boolean> {
  return (await locksHeld()).has(name);
}

/** The names of the locks that any tab holds. */
export async function locksHeld(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map(({ name = '' }) => name));
}
