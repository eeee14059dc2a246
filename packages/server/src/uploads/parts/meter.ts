/** The metrics of the uploads module. */

/** Stages of a part and of a file. */
export type Stage = 'receive' | 'write' | 'commit' | 'verify' | 'publish';

/** Digest mismatches: a received part, a whole upload, or a stored part. */
type Unsound = 'part' | 'file' | 'stored_part';

export interface UploadMeter {
  /** Received bytes of a part, also when it is not stored. */
  noteReceived(bytes: number): void;
  /** A part that was acknowledged, and was not a request of its own to this server. */
  notePart(part: { bytes: number; deduplicated: boolean }): void;
  /** A stage that succeeded. */
  noteStage(stage: Stage, seconds: number): void;
  noteVerifyFailures(what: Unsound, count: number): void;
  /** An attempt at a job on a published file. */
  noteJob(kind: string, outcome: 'done' | 'later' | 'failed', seconds: number): void;
}

/** Times a stage; a failed one is not recorded. @throws the error of `work`. */
export async function timeStage<T>(meter: UploadMeter, stage: Stage, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const result = await work();
  meter.noteStage(stage, (performance.now() - startedMs) / 1000);
  return result;
}
