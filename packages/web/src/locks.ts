/** Web Locks: what the tabs of a browser tell each other. Without them (no https) every tab is alone. */

/** @throws the signal's reason when it is aborted before the lock is there. */
export async function withLock<Result>(name: string, signal: AbortSignal, act: () => Promise<Result>): Promise<Result> {
  if (navigator.locks) return await navigator.locks.request(name, { signal }, act);
  signal.throwIfAborted();
  return await act();
}

/** Shares a lock with other tabs until the signal is aborted. */
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
