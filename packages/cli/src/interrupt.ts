import { EXIT, Interrupted } from './exit.ts';

let interrupted = false;

/** True once Ctrl-C or SIGTERM has come to a command that ends by itself after it. */
export function isInterrupted(): boolean {
  return interrupted;
}

/** A signal that Ctrl-C and SIGTERM abort, with Interrupted as its reason; a second Ctrl-C ends the process at once. */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    interrupted = true;
    controller.abort(new Interrupted('interrupted; what was reached is kept'));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return controller.signal;
}
