/** Ctrl-C and SIGTERM. */

import { Output } from '../output/output.ts';
import { endInterrupted } from './end-process.ts';
import { Interrupted } from './exit.ts';

/** A signal ends the process within 5 s: after this long it does not wait any more. */
const GRACE_MS = 4_000;

let interrupted = false;

/** True once Ctrl-C or SIGTERM has come to a command that ends by itself after it. */
export function isInterrupted(): boolean {
  return interrupted;
}

/**
 * A signal that Ctrl-C and SIGTERM abort, with Interrupted as its reason. A second one ends the process at once; so does
 * the first when the command has not ended after GRACE_MS, because something that it waits for does not come.
 */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) endInterrupted();
    interrupted = true;
    controller.abort(new Interrupted('interrupted; what was reached is kept'));
    setTimeout(() => {
      new Output(process.argv.includes('--json')).failure(controller.signal.reason);
      endInterrupted();
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return controller.signal;
}
