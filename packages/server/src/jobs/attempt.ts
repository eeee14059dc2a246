import type { UploadRoom } from '../uploads/context.ts';

/** Does one step of housekeeping. What fails is logged and tried again in the next round. @returns null when it failed. */
export async function attempt<Result>(
  room: UploadRoom,
  step: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    room.log.error({ step, err: error }, 'housekeeping step failed');
    return null;
  }
}
