/** The job that pushes a dataset; its `file_id` is the id of the push. */
import type { PushContext } from '../pushes/context.ts';
import { runPush } from '../pushes/run.ts';
import type { Work } from './queue.ts';

export function pushWork(context: PushContext): Work {
  return {
    // The push counts its attempts itself: one that goes on for days may lose its connection often.
    maxAttempts: Number.MAX_SAFE_INTEGER,
    async run({ file_id: pushId }, signal) {
      const outcome = await runPush(context, pushId, signal);
      if (outcome.kind === 'ended') return { status: 'done', detail: {} };
      return { status: 'later', afterMs: outcome.afterMs, detail: {} };
    },
  };
}
