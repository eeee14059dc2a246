/** A call that many ask for and that is made now and then. */

/**
 * @param intervalMs the least time between two calls.
 * @returns a function whose answer is newer than the moment when it was asked for. What is asked for while a call waits
 *   gets the answer of that call.
 */
export function paced<Answer>(call: () => Promise<Answer>, intervalMs: number): () => Promise<Answer> {
  let calledMs = Number.NEGATIVE_INFINITY;
  let waiting: Promise<Answer> | null = null;
  const callAfterWait = async () => {
    const waitMs = calledMs + intervalMs - performance.now();
    // Never at once: `waiting` has to be set first.
    await (waitMs > 0 ? new Promise((resolve) => setTimeout(resolve, waitMs)) : null);
    calledMs = performance.now();
    waiting = null;
    return await call();
  };
  return () => {
    waiting ??= callAfterWait();
    return waiting;
  };
}
