/** Ctrl-C and SIGTERM. */

import { Output } from '../output/output.ts';
import { endInterrupted } from './end-process.ts';
import { Interrupted } from './exit.ts';

/** After this time an interrupted command is ended. A signal must end the process within 5 s. */
const GRACE_MS = 4_000;

let interrupted = false;

/** True after Ctrl-C or SIGTERM, for a command that handles them. */
export function isInterrupted(): boolean {
  return interrupted;
}

/**
 * A signal that Ctrl-C and SIGTERM abort, with Interrupted as its reason. A second one ends the process at once; so
 * does the first when the command has not ended after GRACE_MS.
 */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) endInterrupted();
    interrupted = true;
    controller.abort(new Interrupted('interrupted; the progress is kept'));
    setTimeout(() => {
      new Output(process.argv.includes('--json')).failure(controller.signal.reason);
      endInterrupted();
    }, GRACE_MS).unref();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return controller.signal;
}
