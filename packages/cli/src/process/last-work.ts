/** Work that must end before the process does, also after Ctrl-C: the renewal of a token that can be used once. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A signal must end the process within 5 s. */
const LONGEST_MS = 3_000;

const running = new Set<Promise<unknown>>();

/** `awaitLastWork` waits for it. @returns the same promise. */
export function finishFirst<Result>(work: Promise<Result>): Promise<Result> {
  running.add(work);
  const remove = () => void running.delete(work);
  work.then(remove, remove);
  return work;
}

/** Resolves when the work has ended, after 3 s at the latest. */
export async function awaitLastWork(): Promise<void> {
  if (running.size === 0) return;
  await Promise.race([Promise.allSettled([...running]), sleep(LONGEST_MS)]);
}
