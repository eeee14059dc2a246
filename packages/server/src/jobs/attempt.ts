import type { UploadContext } from '../uploads/context.ts';

/**
 * Runs one step of housekeeping. A failure is logged, and the step is repeated in the next round. @returns null when it
 * failed.
 */
export async function attempt<Result>(
  context: UploadContext,
  step: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    context.log.error({ step, err: error }, 'housekeeping step failed');
    return null;
  }
}
