/**
 * Runs `work` every `everyMs`, never twice at once, until stopped.
 *
 * @returns a function that stops it and resolves when the run under way has ended.
 */
export function repeat(everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let timer = setTimeout(tick, everyMs);
  function tick(): void {
    running = work().finally(() => {
      if (!stopped) timer = setTimeout(tick, everyMs);
    });
  }
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
