/** Verifies what a power loss may have taken, and finishes what is being completed. It may read TiBs: nothing waits for it. */
import { findSession, listToRecheck } from '../db/sessions.ts';
import { resumeVerifying } from '../uploads/completion.ts';
import type { UploadRoom } from '../uploads/context.ts';
import { attempt } from './attempt.ts';

/** One round: at the start, from time to time, and after a sweep. After `signal` no upload is begun. */
export async function verifyUploads(room: UploadRoom, signal?: AbortSignal): Promise<void> {
  const ids = await attempt(room, 'verify again', () => listToRecheck(room.db));
  // What could not be read at one try is read at the next.
  for (const id of ids ?? []) {
    if (signal?.aborted) return;
    await attempt(room, 'verify again', async () => {
      const row = await findSession(room.db, id);
      if (row?.must_recheck) await room.rechecks.run(room, row);
    });
  }
  await attempt(room, 'complete', () => resumeVerifying(room, signal));
}
