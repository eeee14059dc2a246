/**
 * Announces what outlives this process: writes, renames, flushes, commits, calls that change a bucket. Nobody listens to
 * the channel `cryolift:durable-step` but tests, which end the process at each of these moments (`suites/crash-points`).
 * It works in worker threads, too: each has a channel of its own.
 */
import { channel } from 'node:diagnostics_channel';

/** A message of the channel. */
interface DurableStep {
  /** `MODULE.STEP`, a literal in the sources. */
  readonly name: string;
  /** `before` and `after` a step; `between` two of them, in the life of an upload. */
  readonly when: 'before' | 'after' | 'between';
}

const steps = channel('cryolift:durable-step');

/** Does a durable step. `after` is announced when it has succeeded, before the caller goes on. */
export function durableStep<T>(name: string, step: () => T): T {
  if (!steps.hasSubscribers) return step();
  announce(name, 'before');
  const result = step();
  if (!(result instanceof Promise)) {
    announce(name, 'after');
    return result;
  }
  return result.then((value) => {
    announce(name, 'after');
    return value;
  }) as T;
}

/** Something durable is done that what follows relies on; a process that dies here leaves the rest to the next one. */
export function betweenSteps(name: string): void {
  if (steps.hasSubscribers) announce(name, 'between');
}

function announce(name: string, when: DurableStep['when']): void {
  steps.publish({ name, when } satisfies DurableStep);
}
